"""Fewer bits for a model that was trained without them, judged by the files of its training."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import (
    CONFIG_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    SPLIT_FILE,
    Bundle,
    Manifest,
    write_manifest,
    write_text,
)
from dlae_core.config import read_config, resolve_config
from dlae_core.config.schema import settings_of
from dlae_core.engines.precisions import BFLOAT16, INT8
from dlae_core.errors import IncompatibleArtifact, UnusableDataset
from dlae_core.families.table import family_of
from dlae_core.training.accepting import accepted_precisions
from dlae_core.training.saving import empty_folder, text_without_paths
from dlae_core.training_data import TrainingData, open_training_data


def add_precisions(
    bundle: Path,
    target: Path,
    files: Mapping[str, Path],
    precisions: tuple[str, ...] = (BFLOAT16, INT8),
    tolerance: float = 0.01,
) -> Manifest:
    """Writes a bundle beside another that may also be predicted with in fewer bits, where it may.

    Args:
        bundle: Folder of a model that DLAE trained.
        target: Folder to write; what is there is removed.
        files: The data that it was trained with, by their settings of the section `paths`
            (`train_X`, `train_y`, ...).
        precisions: Of `bfloat16` and `int8`.
        tolerance: How much worse the model may be with them, see `precision_tolerance`.

    Returns:
        The manifest of the new bundle, whose `precisions` say what was found.

    Raises:
        CorruptArtifact: The bundle is damaged.
        IncompatibleArtifact: It is of another version, or nobody knows what it was trained with.
        UnusableDataset: The data are not those that it was trained with.
        StorageFailed: The disk is full or cannot be written.
    """
    opened = Bundle.open(bundle)
    if SPLIT_FILE not in opened.manifest.files:
        raise IncompatibleArtifact(
            "expected a model that DLAE trained, got one whose validation samples are not known"
        )
    config = _config(opened, files, precisions, tolerance)
    model = keras.models.load_model(bundle / MODEL_FILE, compile=False, safe_mode=True)
    network = replace(family_of(config).networks(config)[0], model=model)
    with open_training_data(config, network) as data:
        _require_same(opened, data)
        empty_folder(target)
        for name in opened.manifest.files:
            shutil.copyfile(bundle / name, target / name)
        write_text(target / CONFIG_FILE, text_without_paths(config))
        engines = opened.manifest.engines
        found = accepted_precisions(target, config, network, data, engines)
    facts = asdict(opened.manifest)
    del facts["format"], facts["files"]
    return write_manifest(target, facts | {"precisions": found})


def _config(
    opened: Bundle, files: Mapping[str, Path], precisions: tuple[str, ...], tolerance: float
) -> Config:
    config = resolve_config(read_config(opened.read(CONFIG_FILE)).config)
    known = settings_of(config.paths)
    for key, path in files.items():
        if key not in known:
            raise UnusableDataset([f"expected files of {', '.join(known)}, got '{key}'"])
        setattr(config.paths, known[key].name, str(path))
    saving = config.save_configurations
    saving.bfloat16_switch, saving.int8_switch = BFLOAT16 in precisions, INT8 in precisions
    saving.precision_tolerance = tolerance
    return config


def _require_same(opened: Bundle, data: TrainingData) -> None:
    """Checks that what is validated with are the samples that the model was not trained with."""
    for role in sorted({*opened.manifest.data, *data.hashes}):
        if opened.manifest.data.get(role) != data.hashes.get(role):
            raise UnusableDataset(
                [
                    f"expected the file {role} that the model was trained with, got another or "
                    f"none; its SHA-256 stands in {MANIFEST_FILE}"
                ]
            )
    if data.split.to_json() != opened.read(SPLIT_FILE):
        raise UnusableDataset(
            [
                "expected the samples to be split as when the model was trained, got another "
                "split; give the same table of groups"
            ]
        )
