"""The model of a session: a bundle, or a file that is made into one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras

import dlae
from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.bundle import CONFIG_FILE, MANIFEST_FILE, MODEL_FILE, write_manifest, write_text
from dlae_core.checkpoints.model_file import write_model
from dlae_core.config import write_config
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.errors import IncompatibleArtifact, WeightsNotFound
from dlae_core.events import Emit, Warned
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.inference.foreign import network_of_file

_BOX_COLUMNS = 13


def model_folder(config: Config, scratch: Path, emit: Emit) -> Path:
    """Returns the folder of the bundle that a session predicts with.

    Args:
        config: Resolved and checked; `load_model` is the folder of a bundle or a file of Keras.
        scratch: Empty folder, for the bundle that a file is made into.
        emit: Is told what was taken of a file.

    Raises:
        WeightsNotFound: There is no such model.
        IncompatibleArtifact: The file's network cannot be used, or does not suit the settings.
        CorruptArtifact: The file is damaged.
        InvalidConfig: The layers do not fit together.
        StorageFailed: The disk is full or cannot be written.
    """
    path = Path(config.paths.load_model)
    if (path / MANIFEST_FILE).is_file():
        return path
    if not path.is_file():
        raise WeightsNotFound(
            f"expected the folder of a model, or a file of Keras, found none at {path}"
        )
    emit(Warned("MODEL_TAKEN", bundle_of_file(path, config, scratch)))
    return scratch


def bundle_of_file(path: Path, config: Config, folder: Path) -> str:
    """Makes a bundle of a file of Keras with the settings of a configuration.

    Args:
        path: The file, see `network_of_file`.
        config: Resolved and checked.
        folder: Empty; for the bundle.

    Returns:
        A sentence on what was taken of the file.

    Raises:
        IncompatibleArtifact: The file's network cannot be used, or does not suit the settings.
        CorruptArtifact: The file is damaged.
        InvalidConfig: The layers do not fit together.
        StorageFailed: The disk is full or cannot be written.
    """
    taken = network_of_file(path, config)
    _write_bundle(folder, taken.model, config)
    return taken.report


def _write_bundle(folder: Path, model: keras.Model, config: Config) -> None:
    config = _with_input(config, tuple(model.input_shape[1:]))
    family, network = family_of(config), Network(model, ())
    if Preprocessing.from_config(config, Statistics()).needs_statistics:
        raise IncompatibleArtifact(
            "expected featurewise centering and normalization to be off, as a file of Keras does "
            "not hold the mean and deviation of the training images; got True"
        )
    output = network.output_shape
    if family.name == "BBD" and output[-1:] != (config.bbd_options.number_classes + _BOX_COLUMNS,):
        raise IncompatibleArtifact(
            f"expected {config.bbd_options.number_classes + _BOX_COLUMNS} numbers per anchor, as "
            f"bbd_options.number_classes is {config.bbd_options.number_classes}, got an output "
            f"{output}"
        )
    write_model(folder / MODEL_FILE, model)
    write_text(folder / CONFIG_FILE, write_config(config))
    facts = {
        "dlae_version": dlae.__version__,
        "keras_version": keras.__version__,
        "create_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "family": family.name,
        "input_shape": family.image_shape(config),
        "output_shape": output,
        "classes": family.classes(config, network),
        "parameters": model.count_params(),
        "metrics": {},
        "seed": config.augmentation.random_seed,
        "preprocessing": Statistics().to_json(),
        "data": {},
    }
    write_manifest(folder, facts)


def _with_input(config: Config, shape: Sequence[int]) -> Config:
    """Returns a configuration whose list says what the network takes.

    The layers behind the Input are left out: the network may be another one.
    """
    copy = Config()
    copy.CopyFrom(config)
    layers = getattr(copy.layers, lists_of_model(config)[0].key)
    del layers[:]
    layer = Layer()
    layer.input.shape.extend(shape)
    layers.append(layer)
    return copy
