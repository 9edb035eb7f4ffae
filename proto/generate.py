"""Generates the Python code of the contract: `python -m proto.generate [--check]`.

The generated files are checked in, so that no user needs a compiler; `--check` fails where they
no longer fit their `.proto` files. The generator's version is pinned in pyproject.toml: gencode of
a newer one refuses the protobuf releases that TensorFlow and other clients of a lab still need.

Generated code has no comments. `comments.json` holds those of the configuration and the layers, by
the full name of what they stand before: `dlae.v1.Convolution.kernel`. The command line and the
reference pages show them.
"""

import argparse
import filecmp
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parent
PACKAGE = Path("dlae/v1")
COMMENTS = "comments.json"
COMMENTED = ("config.proto", "layers.proto")

# Field numbers of a file's messages and of a message's fields, as source paths name them.
_MESSAGES, _FIELDS = 4, 2


def generate(target: Path) -> None:
    """Writes the code of every `.proto` file below `target`, service stubs only where needed."""
    sources = sorted((ROOT / PACKAGE).glob("*.proto"))
    services = [source for source in sources if "\nservice " in source.read_text()]
    _compile(f"--python_out={target}", f"--pyi_out={target}", *map(str, sources))
    _compile(f"--grpc_python_out={target}", *map(str, services))
    text = json.dumps(comments(), indent=1, ensure_ascii=False) + "\n"
    (target / PACKAGE / COMMENTS).write_text(text, encoding="utf-8")


def comments() -> dict[str, str]:
    """Returns the comments of messages and fields, each in one line, by full name."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "set"
        sources = [str(ROOT / PACKAGE / name) for name in COMMENTED]
        _compile("--include_source_info", f"--descriptor_set_out={target}", *sources)
        described = FileDescriptorSet.FromString(target.read_bytes())
    return {name: text for file in described.file for name, text in _comments(file).items()}


def _comments(file: FileDescriptorProto) -> dict[str, str]:
    leading = {
        tuple(place.path): " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
    }
    found: dict[str, str] = {}
    for number, message in enumerate(file.message_type):
        place, name = (_MESSAGES, number), f"{file.package}.{message.name}"
        found[name] = leading[place]
        for position, field in enumerate(message.field):
            found[f"{name}.{field.name}"] = leading[(*place, _FIELDS, position)]
    return found


def _compile(*arguments: str) -> None:
    # In a process of its own: beside other protobuf libraries the compiler can crash.
    include = [f"-I{ROOT}", f"-I{files('grpc_tools') / '_proto'}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *include, *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("the protocol compiler failed; its message stands above")


def generated(root: Path) -> list[Path]:
    """Returns the generated files below a folder."""
    kept = (root / PACKAGE).glob("*_pb2*")
    return [*(path for path in kept if path.suffix in {".py", ".pyi"}), root / PACKAGE / COMMENTS]


def stale(fresh: Path) -> list[str]:
    """Returns the names of generated files that differ from those under `fresh`."""
    made = {path.name for path in generated(fresh)}
    kept = {path.name for path in generated(ROOT) if path.exists()}
    differing = {
        name
        for name in made & kept
        if not filecmp.cmp(fresh / PACKAGE / name, ROOT / PACKAGE / name, shallow=False)
    }
    return sorted(differing | (made ^ kept))


def main() -> int:
    """Generates or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        names = stale(fresh)
        if check and names:
            print(f"stale: {', '.join(names)}; run `make protos`", file=sys.stderr)
            return 1
        if not check:
            for path in generated(ROOT):
                path.unlink(missing_ok=True)
            for path in generated(fresh):
                shutil.copy(path, ROOT / PACKAGE / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
