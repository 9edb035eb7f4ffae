"""Which engine runs a model."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlae_core.bundle import MODEL_FILE, Manifest
from dlae_core.engines import Engine
from dlae_core.errors import IncompatibleArtifact

REFERENCE = "tensorflow"
# The fastest on processors first; see `benchmarks/engines.py`.
ENGINES = ("openvino", "onnxruntime", REFERENCE)

Engines = Mapping[str, Mapping[str, Any]]


def installed(engine: str) -> bool:
    """Returns whether the package of an engine is installed."""
    return find_spec(engine) is not None


def calculates(engine: str, precision: str) -> bool:
    """Returns whether an engine that is installed has what it takes to calculate in a precision."""
    if engine == "openvino":
        return bool(import_module("dlae_core.engines.openvino").calculates(precision))
    return precision != "bfloat16"


def choose_engine(manifest: Manifest, wanted: str | None = None) -> str:
    """Returns the first engine that is installed and was seen to agree with Keras.

    Args:
        manifest: What the model is.
        wanted: One of `ENGINES` that it has to be; None: any.

    Raises:
        IncompatibleArtifact: The wanted engine cannot run this model.
    """
    obstacles = {name: _obstacle(manifest.engines, name) for name in ENGINES}
    if wanted is None:
        return next(name for name, obstacle in obstacles.items() if not obstacle)
    obstacle = obstacles.get(wanted, "there is no engine of this name")
    if obstacle:
        raise IncompatibleArtifact(
            f"expected a model that the engine {wanted} can run, but {obstacle}; use "
            f"{choose_engine(manifest)}"
        )
    return wanted


def load_engine(bundle: Path, manifest: Manifest, name: str, threads: int | None) -> Engine:
    """Loads a model into an engine that `choose_engine` returned.

    Args:
        bundle: Folder of the model.
        manifest: What the model is.
        name: One of `ENGINES`.
        threads: That it may use; None: as many as there are cores.

    Raises:
        CorruptArtifact: The file is none that the engine can load.
    """
    file = MODEL_FILE if name == REFERENCE else Path(manifest.engines[name]["file"]).name
    engine: Engine = import_module(f"dlae_core.engines.{name}").load(bundle / file, threads)
    return engine


def _obstacle(engines: Engines, name: str) -> str:
    """Returns why an engine cannot run a model, empty if it can."""
    if name == REFERENCE:
        return ""
    if name not in engines:
        return "the model was not exported for it when it was trained"
    if "refused" in engines[name]:
        return f"it was refused when the model was trained: {engines[name]['refused']}"
    return "" if installed(name) else "it is not installed here"
