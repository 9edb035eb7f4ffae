"""What is known of a model, as JSON values."""

import csv
import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import CONFIG_FILE, HISTORY_FILE, SPLIT_FILE, Bundle, Manifest
from dlae_core.config import resolve_config, write_config

CARD_FORMAT = 1
# What a card says of settings: these always, others of these sections where they are no defaults.
_ALWAYS = {
    "preprocessing": ("minimum_image_intensity", "maximum_image_intensity", "normalization_type"),
    "augmentation": (),
    "loss_function": ("loss",),
    "learning_rate_schedule": ("learning_rate",),
    "optimizer": ("optimizer",),
    "training_configurations": ("epochs", "batch_size", "validation_split"),
}
# Names of groups, which may be patients, and what says nothing about the model.
_NEVER = ("split_group", "hardware", "number_of_gpus", "data_memory", "recovery_period")
_TASKS = {
    ("CNN", True): "classification of images",
    ("CNN", False): "regression of values from images",
    ("FCN", True): "segmentation, a class for every pixel or voxel",
    ("FCN", False): "regression, a value for every pixel or voxel",
    ("BBD", True): "detection of objects as bounding boxes",
}
_TRANSLATION = "translation of images into images"
_IMPORTED = (
    "Imported: whether its configuration is the one that it was trained with, on which data, and "
    "how well it does, is not known here."
)

Facts = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """What a registry knows of a model that its files do not.

    Attributes:
        name: Its name.
        version: Its version.
        aliases: Aliases that mean it.
        parent: The model or job that its training began from; may be empty.
        imported: Whether something else than DLAE trained it.
    """

    name: str
    version: int
    aliases: tuple[str, ...] = ()
    parent: str = ""
    imported: bool = False


def card(bundle: Bundle, identity: Identity) -> Facts:
    """Returns what is known of a model, as JSON values.

    Raises:
        CorruptArtifact: A file of the bundle cannot be read.
    """
    manifest = bundle.manifest
    sections = json.loads(bundle.read(CONFIG_FILE))
    settings = _settings(sections)
    facts: Facts = {
        "card_format": CARD_FORMAT,
        "model": f"{identity.name}@{identity.version}",
        **asdict(identity),
        "aliases": list(identity.aliases),
        "created": manifest.create_time,
        "task": _task(manifest),
        "network": _network(manifest, sections),
        "data": {"files": manifest.data, "samples": _samples(bundle)},
        "preprocessing": {
            "settings": settings.pop("preprocessing"),
            "statistics": {name: value for name, value in manifest.preprocessing.items() if value},
        },
        "training": {
            "seed": manifest.seed,
            "epochs_trained": _epochs(bundle),
            "settings": settings,
        },
        "metrics": dict(sorted(manifest.metrics.items())),
        "engines": {name: _engine(found) for name, found in sorted(manifest.engines.items())},
        "precisions": {name: _engine(found) for name, found in manifest.precisions.items()},
        "software": {"dlae": manifest.dlae_version, "keras": manifest.keras_version},
        "files": {name: asdict(entry) for name, entry in sorted(manifest.files.items())},
    }
    return facts | {"limitations": _limitations(facts)}


def _task(manifest: Manifest) -> Facts:
    return {
        "family": manifest.family,
        "description": _TASKS.get((manifest.family, manifest.classes > 0), _TRANSLATION),
        "input_shape": list(manifest.input_shape),
        "output_shape": list(manifest.output_shape),
        "classes": manifest.classes,
    }


def _network(manifest: Manifest, sections: Facts) -> Facts:
    layers = [layer for one in sections.get("layers", {}).values() for layer in one]
    # A layer is written `type:argument:argument`.
    counts = Counter(str(layer).split(":", maxsplit=1)[0] for layer in layers)
    return {
        "prebuilt": sections.get("config_file", {}).get("prebuilt", ""),
        "parameters": manifest.parameters,
        "layers": dict(counts),
    }


def _samples(bundle: Bundle) -> dict[str, int]:
    """Returns how many samples were trained on and validated with, where the bundle says."""
    if SPLIT_FILE not in bundle.manifest.files:
        return {}
    split = json.loads(bundle.read(SPLIT_FILE))
    return {part: sum(len(names) for names in files.values()) for part, files in split.items()}


def _settings(sections: Facts) -> dict[str, Facts]:
    """Returns what was set, by section: what matters always, the rest where it is no default."""
    defaults = json.loads(write_config(resolve_config(Config())))
    found: dict[str, Facts] = {}
    for section, always in _ALWAYS.items():
        default = defaults.get(section, {})
        found[section] = {
            key: value
            for key, value in sections.get(section, {}).items()
            if key not in _NEVER and (key in always or value != default.get(key))
        }
    return found


def _epochs(bundle: Bundle) -> int:
    if HISTORY_FILE not in bundle.manifest.files:
        return 0
    return sum(1 for _ in csv.DictReader(bundle.read(HISTORY_FILE).splitlines()))


def _engine(found: Facts) -> Facts:
    """Returns what became of an engine or a precision; sentences of libraries may name folders."""
    if "/" in str(found.get("refused", "")):
        return found | {"refused": "it cannot run this network"}
    return found


def _limitations(facts: Facts) -> list[str]:
    """Returns what nobody should expect of the model."""
    found = [
        "For research: no clinical validation is recorded here.",
        "Expects images prepared as those it was trained with: the same modality, orientation, "
        "voxel size and intensities; DLAE repeats the preprocessing above and nothing else.",
    ]
    if facts["imported"]:
        return [*found, _IMPORTED]
    samples = facts["data"]["samples"]
    validated = samples.get("validation", 0) or "validation_X" in facts["data"]["files"]
    if not validated:
        found.append("No sample was kept for validation: its metrics are those of training data.")
    else:
        found.append("Its metrics were measured on data that also chose when training ended.")
    trained = samples.get("training", 0)
    if 0 < trained < 100:
        found.append(f"Trained on {trained} samples only.")
    refused = [name for name, engine in facts["engines"].items() if "refused" in engine]
    if refused:
        found.append(f"Does not run on: {', '.join(refused)}.")
    return found
