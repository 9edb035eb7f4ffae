"""A network as a TensorFlow SavedModel, for TensorFlow Serving and programs without Keras."""

import os
import shutil
from pathlib import Path

import keras

from dlae_core.bundle import MODEL_FILE, Bundle
from dlae_core.errors import CorruptArtifact, StorageFailed


def write_saved_model(bundle: Path, folder: Path) -> None:
    """Writes the network of a bundle, whole or not at all.

    Its function `serving_default` takes float32 images, prepared as in training, and gives what
    the network does: float32 (batch, ...).

    Args:
        bundle: Folder of the bundle, whose checksums are verified.
        folder: Where to write; it must not exist.

    Raises:
        CorruptArtifact: The bundle is damaged, or its network cannot be loaded safely.
        StorageFailed: The folder exists or cannot be written.
    """
    if folder.exists():
        raise StorageFailed(f"expected a new folder, but {folder} exists; name another")
    path = Bundle.open(bundle).path / MODEL_FILE
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptArtifact.of_file(path, "cannot be loaded") from error
    part = folder.with_name(f".{folder.name}.{os.getpid()}.writing")
    try:
        model.export(part, format="tf_saved_model", verbose=False)
        part.replace(folder)
    except OSError as error:
        message = f"cannot write {folder}: {error.strerror or error}"
        raise StorageFailed(message) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
