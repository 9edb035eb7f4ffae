"""A network that something else trained, with its configuration, made into a bundle to keep."""

from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import HISTORY_FILE, MODEL_FILE, Bundle, write_manifest, write_text
from dlae_core.config.adoption import adoptable
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.engines.exporting import export_engines
from dlae_core.errors import IncompatibleArtifact
from dlae_core.families.table import family_of
from dlae_core.inference.model import bundle_of_file

# Space that engines are compared in where any is allowed, and images of it.
_SPACE, _SAMPLES = 64, 2


def adopt(text: str, file: Path, bundle: Path) -> str:
    """Makes a bundle of a file of Keras, with the files of other engines; see `bundle_of_file`.

    Args:
        text: The configuration; its paths are not used and not kept.
        file: A `.keras`, `.weights.h5` or `.h5` file.
        bundle: An empty folder.

    Returns:
        A sentence on what was taken of the file.

    Raises:
        InvalidConfig: The configuration has mistakes.
        IncompatibleArtifact: The network cannot be had from this file, gives something else than
            the layers of the configuration, or has weights that are not finite.
        CorruptArtifact: The file is damaged.
        StorageFailed: The disk is full or cannot be written.
    """
    config = adoptable(text)
    report = bundle_of_file(file, config, bundle)
    model = keras.models.load_model(bundle / MODEL_FILE, compile=False, safe_mode=True)
    _require_output(config, model)
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise IncompatibleArtifact("expected finite weights, got NaN or infinite ones")
    write_text(bundle / HISTORY_FILE, "epoch\n")
    facts = asdict(Bundle.open(bundle).manifest)
    del facts["format"], facts["files"]
    engines = export_engines(bundle, model, _noise(model))
    write_manifest(bundle, facts | {"engines": engines})
    return report


def _require_output(config: Config, model: keras.Model) -> None:
    """Checks that a network gives what the layers of its configuration would, where it has any."""
    if len(lists_of_model(config)[0].layers) < 2:
        return
    described = family_of(config).networks(config)[0].output_shape
    given = tuple(model.output_shape[1:])
    if described != given:
        raise IncompatibleArtifact(
            f"expected an output {described}, as the layers of the configuration give, got {given} "
            "from the file; give the configuration that the model was trained with"
        )


def _noise(model: keras.Model) -> NDArray[np.float32]:
    """Returns images to compare engines on; real ones there are none."""
    *space, channels = model.input_shape[1:]
    shape = (_SAMPLES, *(length or _SPACE for length in space), channels)
    return np.random.default_rng(0).random(shape, np.float32)
