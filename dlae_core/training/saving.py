"""The bundle of a trained network."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras

import dlae
from dlae.v1.config_pb2 import Config, Paths
from dlae_core.bundle import (
    CONFIG_FILE,
    MODEL_FILE,
    SPLIT_FILE,
    write_manifest,
    write_text,
)
from dlae_core.checkpoints.model_file import write_model
from dlae_core.config import write_config
from dlae_core.engines.exporting import export_engines, real_samples
from dlae_core.errors import StorageFailed
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from dlae_core.training.accepting import accepted_precisions
from dlae_core.training_data import TrainingData

# Weights of a backbone that are no file.
_NO_FILE = ("", "none", "None", "imagenet")
_PATHS = {
    "paths": [field.name for field in Paths.DESCRIPTOR.fields],
    "save_configurations": [
        "save_model_path",
        "save_csv_path",
        "save_checkpoints_path",
        "save_tensorboard_path",
    ],
}


def empty_folder(path: Path) -> Path:
    """Returns a new folder; what an earlier attempt left there is removed.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    try:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    except OSError as error:
        raise StorageFailed(f"cannot make a folder for the model: {error.strerror}") from error
    return path


def save_bundle(
    bundle: Path,
    config: Config,
    networks: Sequence[Network],
    data: TrainingData,
    metrics: Mapping[str, float],
) -> None:
    """Completes a bundle, which holds its history and what else training has put there.

    The first network is the one that predicts; the others are saved beside it, under their names.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    network = networks[0]
    write_model(bundle / MODEL_FILE, network.model)
    for other in networks[1:]:
        write_model(bundle / f"{other.model.name}.keras", other.model)
    write_text(bundle / CONFIG_FILE, text_without_paths(config))
    write_text(bundle / SPLIT_FILE, data.split.to_json())
    family = family_of(config)
    engines = export_engines(bundle, network.model, real_samples(data.validation or data.training))
    write_manifest(
        bundle,
        {
            "dlae_version": dlae.__version__,
            "keras_version": keras.__version__,
            "create_time": datetime.now(UTC).isoformat(timespec="seconds"),
            "family": family.name,
            "input_shape": family.image_shape(config),
            "output_shape": network.output_shape,
            "classes": family.classes(config, network),
            "parameters": network.model.count_params(),
            "metrics": dict(metrics),
            "seed": config.augmentation.random_seed,
            "preprocessing": data.preprocessing.statistics.to_json(),
            "data": dict(data.hashes),
            "engines": engines,
            "precisions": accepted_precisions(bundle, config, network, data, engines),
        },
    )


def text_without_paths(config: Config) -> str:
    """Returns a configuration as a model carries it: paths may name patients and stay here."""
    copy = Config()
    copy.CopyFrom(config)
    for section, keys in _PATHS.items():
        for key in keys:
            setattr(getattr(copy, section), key, "")
    for _, layers in copy.layers.ListFields():
        for layer in layers:
            if layer.WhichOneof("type") == "backbone" and layer.backbone.weights not in _NO_FILE:
                layer.backbone.weights = "none"
    return write_config(copy)
