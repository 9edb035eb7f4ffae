"""Generates the Python code of the contract: `python -m proto.generate [--check]`.

The generated files are checked in, so that no user needs a compiler; `--check` fails where they
no longer fit their `.proto` files. The generator's version is pinned in pyproject.toml: gencode of
a newer one refuses the protobuf releases that TensorFlow and other clients of a lab still need.
"""

import argparse
import filecmp
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent
PACKAGE = Path("dlae/v1")


def generate(target: Path) -> None:
    """Writes the code of every `.proto` file below `target`, service stubs only where needed."""
    sources = sorted((ROOT / PACKAGE).glob("*.proto"))
    services = [source for source in sources if "\nservice " in source.read_text()]
    include = [f"-I{ROOT}", f"-I{files('grpc_tools') / '_proto'}"]
    messages = [f"--python_out={target}", f"--pyi_out={target}", *map(str, sources)]
    stubs = [f"--grpc_python_out={target}", *map(str, services)]
    for arguments in (messages, stubs):
        if protoc.main(["protoc", *include, *arguments]) != 0:
            raise SystemExit("the protocol compiler failed; its message stands above")


def stale(fresh: Path) -> list[str]:
    """Returns the names of generated files that differ from those under `fresh`."""
    made = {path.name for path in (fresh / PACKAGE).glob("*_pb2*")}
    kept = {path.name for path in (ROOT / PACKAGE).glob("*_pb2*") if path.suffix in {".py", ".pyi"}}
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
            for path in (ROOT / PACKAGE).glob("*_pb2*"):
                path.unlink(missing_ok=path.is_file())
            for path in (fresh / PACKAGE).glob("*_pb2*"):
                shutil.copy(path, ROOT / PACKAGE / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
