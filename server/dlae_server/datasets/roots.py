"""Which files a configuration may name, data and weights: those in the server's data roots."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.bundle import MANIFEST_FILE
from dlae_core.config.references import (
    INFERENCE,
    is_dataset_reference,
    is_model_reference,
    is_reference,
)
from dlae_core.errors import Violation
from dlae_server.store.connection import STORE_FILE

# Field of `Paths` to its spelling. The others are not read in training.
TRAINING_PATHS = {
    "train_x": "train_X",
    "train_y": "train_y",
    "validation_x": "validation_X",
    "validation_y": "validation_y",
    "split_groups": "split_groups",
}
CONTINUED = "Train from Checkpoint"
# Folders beside the store of a server.
_KEPT = frozenset({"jobs", "models", "datasets"})
# Weights of a backbone that are no file of the user's.
NO_FILE = ("", "none", "None", "imagenet")


def path_violations(config: Config, roots: Sequence[Path]) -> Iterator[Violation]:
    """Yields which data files of a configuration cannot be used.

    A file outside the roots is refused without telling whether it exists.
    """
    if config.config_file.type_signal == INFERENCE:
        yield from _inference_violations(config, roots)
        return
    for field, key in TRAINING_PATHS.items():
        text = getattr(config.paths, field)
        if text and not is_dataset_reference(text):
            yield from _violations(Path(text), f"paths.{key}", roots)
    checkpoint = config.paths.load_checkpoint
    is_read = config.config_file.type_signal == CONTINUED and checkpoint
    if is_read and not (is_reference(checkpoint) or is_dataset_reference(checkpoint)):
        yield from _violations(Path(checkpoint), "paths.load_checkpoint", roots)
    for place, layer in _layers(config):
        if layer.WhichOneof("type") == "backbone" and layer.backbone.weights not in NO_FILE:
            yield from _violations(Path(layer.backbone.weights), f"{place}.weights", roots)


def is_readable(text: str, size_bytes: int, change_time_ns: int, roots: Sequence[Path]) -> bool:
    """Returns whether a file lies in the roots and is the one that somebody sees under its path.

    Args:
        text: Absolute path.
        size_bytes: Length that it has for them.
        change_time_ns: Time of its last change, in nanoseconds since 1970.
        roots: Folders whose files configurations may name.
    """
    real = _real(Path(text)) if Path(text).is_absolute() else None
    if real is None or not _is_inside(real, roots):
        return False
    try:
        found = real.stat()
    except OSError:
        return False
    return real.is_file() and (found.st_size, found.st_mtime_ns) == (size_bytes, change_time_ns)


def _inference_violations(config: Config, roots: Sequence[Path]) -> Iterator[Violation]:
    """Yields what is wrong with the files of an inference session, the only ones that it reads."""
    model, images = config.paths.load_model, config.paths.test_x
    if model and not (is_model_reference(model) or is_dataset_reference(model)):
        yield from _violations(Path(model), "paths.load_model", roots, MANIFEST_FILE)
    if images and not is_dataset_reference(images):
        yield from _violations(Path(images), "paths.test_X", roots)


def _layers(config: Config) -> Iterator[tuple[str, Layer]]:
    for field, layers in config.layers.ListFields():
        for item, layer in enumerate(layers):
            yield f"layers.{field.name}[{item}]", layer


def _violations(
    path: Path, place: str, roots: Sequence[Path], mark: str = ""
) -> Iterator[Violation]:
    """Yields what is wrong with a file; or a folder, where one will do that holds a file `mark`."""
    if not path.is_absolute():
        message = f"expected an absolute path, got '{path}'"
        yield Violation(place, "NOT_ABSOLUTE", message)
        return
    real = _real(path)
    if real is None or not _is_inside(real, roots):
        # Weights of backbones are the operator's.
        upload = ", or upload it with `dlae-client datasets upload`" * place.startswith("paths.")
        message = (
            f"'{path}' is outside the folders that this server reads; put the file there or start "
            f"the server with --data-root FOLDER{upload}"
        )
        yield Violation(place, "OUTSIDE_DATA_ROOTS", message)
    elif not real.is_file() and not (mark and (real / mark).is_file()):
        wanted = "a file, or the folder of a model" if mark else "a file"
        message = f"expected {wanted}, found none at '{path}'"
        yield Violation(place, "DATASET_NOT_FOUND", message)


def _is_inside(real: Path, roots: Sequence[Path]) -> bool:
    inside = any(real.is_relative_to(root.resolve()) for root in roots)
    return inside and not _is_kept(real)


def _is_kept(real: Path) -> bool:
    """Returns whether a server keeps a file: it belongs to a project, and is found by reference."""
    return any(
        place.name in _KEPT and (place.parent / STORE_FILE).exists()
        for place in (real, *real.parents)
    )


def _real(path: Path) -> Path | None:
    """Returns a path without links; None where it cannot be one: a loop, a NUL, too long."""
    try:
        real = path.resolve()
        real.exists()
    except (OSError, RuntimeError, ValueError):
        return None
    return real
