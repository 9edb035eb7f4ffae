"""A network that something else trained, with its configuration, made into a bundle.

The network is built from the configuration, and its weights are read from the file as arrays: no
architecture, no code and no pickle of the file is ever loaded. So `.keras` files, weights and the
`.h5` models of DLAE 1.0 are all taken alike, and whoever made them can do no harm.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

import dlae
from dlae.v1.config_pb2 import Config
from dlae_core.bundle import CONFIG_FILE, HISTORY_FILE, MODEL_FILE, write_manifest, write_text
from dlae_core.checkpoints.model_file import write_model
from dlae_core.config import read_config, resolve_config
from dlae_core.config.adoption import adoptable
from dlae_core.data.normalization import Statistics
from dlae_core.engines.exporting import export_engines
from dlae_core.errors import IncompatibleArtifact
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.training.saving import text_without_paths
from dlae_core.transfer.weights import take_weights

# Space that engines are compared in where any is allowed, and images of it.
_SPACE, _SAMPLES = 64, 2


def adopt(text: str, weights: Path, bundle: Path) -> None:
    """Writes a bundle of a network with the weights of a file.

    Args:
        text: The configuration; its paths are not used and not kept.
        weights: A `.keras`, `.weights.h5` or `.h5` file with the weights of exactly the network
            that the configuration describes, which are taken in their order.
        bundle: An empty folder.

    Raises:
        InvalidConfig: The configuration has mistakes.
        IncompatibleArtifact: The file has other weights than the network.
        CorruptArtifact: The file is damaged.
        StorageFailed: The disk is full or cannot be written.
    """
    config = _without_files(adoptable(text))
    networks = family_of(config).networks(config)
    network = networks[0]
    transfer = take_weights(network.model, weights, by_name=False)
    if transfer.missing or transfer.unused:
        raise IncompatibleArtifact(
            f"expected the weights of exactly the network that the configuration describes, got "
            f"{transfer}; give the configuration that the model was trained with"
        )
    if not all(np.isfinite(weight).all() for weight in network.model.get_weights()):
        raise IncompatibleArtifact("expected finite weights, got NaN or infinite ones")
    write_model(bundle / MODEL_FILE, network.model)
    write_text(bundle / CONFIG_FILE, text_without_paths(config))
    write_text(bundle / HISTORY_FILE, "epoch\n")
    _write_manifest(bundle, config, networks)


def _without_files(config: Config) -> Config:
    """Returns a configuration whose backbones wait for their weights instead of reading any."""
    completed = resolve_config(read_config(text_without_paths(config)).config)
    for _, layers in completed.layers.ListFields():
        for layer in layers:
            if layer.WhichOneof("type") == "backbone":
                layer.backbone.weights = "none"
    return completed


def _write_manifest(bundle: Path, config: Config, networks: Sequence[Network]) -> None:
    family, network = family_of(config), networks[0]
    facts = {
        "dlae_version": dlae.__version__,
        "keras_version": keras.__version__,
        "create_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "family": family.name,
        "input_shape": family.image_shape(config),
        "output_shape": network.output_shape,
        "classes": family.classes(config, network),
        "parameters": network.model.count_params(),
        "metrics": {},
        "seed": config.augmentation.random_seed,
        "preprocessing": Statistics().to_json(),
        "data": {},
        "engines": export_engines(bundle, network.model, _noise(network.model)),
    }
    write_manifest(bundle, facts)


def _noise(model: keras.Model) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Returns images to compare engines on; real ones there are none."""
    *space, channels = model.input_shape[1:]
    shape = (_SAMPLES, *(length or _SPACE for length in space), channels)
    return np.random.default_rng(0).random(shape, np.float32)
