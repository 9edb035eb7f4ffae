"""Who may import whom, how long things may be, and what may not be a name."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "dlae": ROOT / "proto" / "dlae",
    "dlae_core": ROOT / "dlae_core",
    "dlae_server": ROOT / "server" / "dlae_server",
    "dlae_client": ROOT / "client" / "dlae_client",
}
FORBIDDEN = {
    "dlae": ("dlae_core", "dlae_server", "dlae_client", "keras", "tensorflow"),
    "dlae_core": ("dlae_server", "dlae_client", "grpc", "click", "prometheus_client"),
    "dlae_server": ("dlae_client", "keras", "tensorflow"),
    "dlae_client": ("dlae_server", "keras", "tensorflow"),
}
LIGHT = (
    "dlae_core.errors",
    "dlae_core.events",
    "dlae_core.bundle",
    "dlae_core.config",
    "dlae_core.backbones.weight_files",
    "dlae_core.layers.language",
    "dlae_core.data.source",
    "dlae_core.data.spacing",
    "dlae_core.data.distribution",
    "dlae_core.data.expectation",
    "dlae_core.data.inspection",
    "dlae_core.data.packing",
    "dlae_core.data.preview",
    "dlae_core.data.report",
    "dlae_core.data.stored_boxes",
    "dlae_core.data.summary",
    "dlae_core.data.unpaired_files",
    "dlae_core.engines.choice",
    "dlae_core.engines.openvino",
    "dlae_core.evaluation",
    "dlae_core.flips",
    "dlae_core.model_card",
    "dlae_core.postprocessing",
    "dlae_core.prediction",
    "dlae_core.tiling",
)
SERVER_ONLY = (
    "dlae_core.bundle",
    "dlae_core.backbones.weight_files",
    "dlae_core.engines.choice",
    "dlae_core.engines.openvino",
    "dlae_core.flips",
    "dlae_core.model_card",
    "dlae_core.postprocessing",
    "dlae_core.prediction",
    "dlae_core.tiling",
)
CLIENT_MAY_USE = tuple(name for name in LIGHT if name not in SERVER_ONLY)
KNOW_GRPC = ("app", "calls", "interceptors", "status", "services")
# Run in the driver's process, or on a node.
KNOW_RAY = ("driver.py", "reports.py", "run.py", "hands.py")
# What another room of the engine may use: rooms further down only.
ORDER = (
    ("errors", "events"),
    ("bundle", "config", "history", "model_card"),
    ("layers", "backbones", "data", "detection"),
    ("graph", "losses", "precision", "fused"),
    ("monitors", "optimization", "cost", "evaluation"),
    ("families", "steps", "datasets", "engines", "flips", "tiling", "postprocessing"),
    ("training_data", "checkpoints"),
    ("transfer",),
    ("validation", "prediction"),
    ("training",),
    ("inference",),
    ("adoption",),
)


def _sources(package: str) -> list[Path]:
    return [path for path in sorted(PACKAGES[package].rglob("*.py")) if "_pb2" not in path.name]


def _programs() -> list[Path]:
    """Returns the Python sources outside the packages, tests apart."""
    folders = ("examples", "benchmarks")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [ROOT / "proto" / "generate.py", ROOT / "docs" / "generate.py", *found]


ALL = [(package, path) for package in PACKAGES for path in _sources(package)]
IDS = [str(path.relative_to(ROOT)) for _, path in ALL]
OURS = [*(path for _, path in ALL), *_programs()]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module in PACKAGES:
            # `from dlae_core import training` imports a room, not a name of a room.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize(("package", "path"), ALL, ids=IDS)
def test_no_package_imports_upwards(package: str, path: Path) -> None:
    wrong = [name for name in _imports(path) for other in FORBIDDEN[package] if _is_in(name, other)]
    assert wrong == []


@pytest.mark.parametrize("module", LIGHT)
def test_light_rooms_do_not_name_keras_even_inside_functions(module: str) -> None:
    place = ROOT / module.replace(".", "/")
    sources = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    assert sources
    for path in sources:
        heavy = [n for n in _imports(path) if _is_in(n, "keras") or _is_in(n, "tensorflow")]
        assert heavy == [], path.name


@pytest.mark.parametrize("path", _sources("dlae_client"), ids=lambda path: path.name)
def test_the_client_uses_only_the_light_rooms(path: Path) -> None:
    core = [name for name in _imports(path) if _is_in(name, "dlae_core")]
    assert all(any(_is_in(name, room) for room in CLIENT_MAY_USE) for name in core)


@pytest.mark.parametrize("path", _sources("dlae_server"), ids=lambda path: path.name)
def test_only_the_edge_of_the_server_knows_grpc(path: Path) -> None:
    room = path.relative_to(PACKAGES["dlae_server"]).parts[0].removesuffix(".py")
    knows = any(_is_in(name, "grpc") for name in _imports(path))
    assert not knows or room in KNOW_GRPC


@pytest.mark.parametrize("path", _sources("dlae_server"), ids=lambda path: path.name)
def test_only_the_driver_of_a_cluster_knows_ray(path: Path) -> None:
    knows = any(_is_in(name, "ray") for name in _imports(path))
    assert not knows or (path.parent.name, path.name in KNOW_RAY) == ("cluster", True)
    users = any("executors.cluster" in name for name in _imports(path))
    parts = path.relative_to(PACKAGES["dlae_server"]).parts
    assert not users or parts[0] == "executors"


@pytest.mark.parametrize("path", _sources("dlae_core"), ids=lambda path: path.name)
def test_rooms_of_the_engine_use_rooms_below_only(path: Path) -> None:
    level = {room: number for number, rooms in enumerate(ORDER) for room in rooms}
    own = path.relative_to(PACKAGES["dlae_core"]).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for name in _imports(path):
        if _is_in(name, "dlae_core"):
            used = name.split(".")[1]
            assert used == own or level[used] <= level[own], f"{own} uses {used}"


@pytest.mark.parametrize(
    "module", [*LIGHT, "dlae_client.cli.main", "dlae_client", "dlae_server.app"]
)
def test_light_modules_load_neither_keras_nor_tensorflow(module: str) -> None:
    program = (
        f"import sys, {module}; print([n for n in ('keras', 'tensorflow') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_command_line_starts_without_numpy_and_registers_no_foreign_protocol() -> None:
    program = (
        "import sys, dlae_client.cli.main, dlae_client;"
        "from google.protobuf import descriptor_pool as pool;"
        "files = [m.DESCRIPTOR.name for n, m in sys.modules.items() if n.endswith('_pb2')];"
        "print('numpy' in sys.modules, any('inference' in name for name in files))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False False"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - first[0].lineno + 1 if first else 0
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_have_names_of_their_own(path: Path) -> None:
    nameless = {"utils", "common", "helpers", "misc", "constants", "manager", "handler"}
    assert not nameless & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
