"""Rules across settings: what values must agree with each other, and what deserves a warning.

A rule is a row: the paths it reads, and a function that returns its violations. It is left out
where one of its paths is doubtful, so that one mistake is not told twice. `RULES` are mistakes,
`ADVICE` are warnings. Rules about the layer list itself are in `layer_rules`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dlae.v1.config_pb2 import Config, Paths
from dlae_core.config import layer_rules
from dlae_core.config.loss_kinds import (
    CLASSIFICATION_LOSSES,
    LOSSES_OF_MODELS,
    ONE_HOT_LOSSES,
    REGRESSION_LOSSES,
    SPARSE_LOSS,
)
from dlae_core.config.schema import settings_of, value_of
from dlae_core.errors import Violation

Find = Callable[[Config], Iterator[Violation]]

_MODEL = "config_file.model_signal"
_SESSION = "config_file.type_signal"
_LOSS = "loss_function.loss"
_NORMALIZATION = "preprocessing.normalization_type"
_SWITCH = "preprocessing.categorical_switch"
_SPLIT = "training_configurations.validation_split"
_PLATEAU = "learning_rate_schedule.decay_on_plateau_switch"
_EARLY_STOP = "training_configurations.early_stop_switch"

# Files that only other sessions than training read.
_FILES_OF_OTHER_SESSIONS = ("load_checkpoint", "load_model", "test_X")
# Parameters with which a loss no longer tells good from bad, each of them 0.
_DEGENERATE = {
    "jaccard": (("parameter1",), "the loss is then always 0"),
    "focal": (("parameter1",), "the loss is then always 0"),
    "tversky": (("parameter1", "parameter2"), "the index is then 1 wherever the classes meet"),
    "soft_dice": (("parameter1",), "the loss is then undefined where a batch has no class"),
}


@dataclass(frozen=True)
class Rule:
    """One rule: the paths of the settings it reads, and what it finds."""

    paths: tuple[str, ...]
    find: Find


def _files_of_training(config: Config) -> Iterator[Violation]:
    for key, path in (("train_X", config.paths.train_x), ("train_y", config.paths.train_y)):
        if config.config_file.type_signal == "Train" and not path:
            sentence = "expected an HDF5 file to train on, got none; type_signal Train needs one"
            yield Violation(f"paths.{key}", "MISSING", sentence)


def _validation_pairs(config: Config) -> Iterator[Violation]:
    pairs = (
        ("validation_X", config.paths.validation_x, "validation_y", config.paths.validation_y),
        ("validation_y", config.paths.validation_y, "validation_X", config.paths.validation_x),
    )
    for key, path, other_key, other_path in pairs:
        if not path and other_path:
            sentence = f"expected a file beside {other_key}, got none; images and annotations pair"
            yield Violation(f"paths.{key}", "MISSING", sentence)


def _validation_twice(config: Config) -> Iterator[Violation]:
    split = config.training_configurations.validation_split
    if split > 0 and (config.paths.validation_x or config.paths.validation_y):
        sentence = (
            f"expected 0 because validation files are given, got {split:g}; leave out "
            "validation_X and validation_y to split the training files instead"
        )
        yield Violation(_SPLIT, "CONTRADICTION", sentence)


def _loss_of_model(config: Config) -> Iterator[Violation]:
    model, loss = config.config_file.model_signal, config.loss_function.loss
    needed = LOSSES_OF_MODELS.get(model)
    owners = [owner for owner, losses in LOSSES_OF_MODELS.items() if loss in losses]
    if needed and loss not in needed:
        sentence = f"expected {' or '.join(needed)} because model_signal is {model}, got '{loss}'"
        yield Violation(_LOSS, "LOSS_MISMATCH", sentence)
    elif owners and not needed:
        sentence = f"expected a loss for {model}, got '{loss}', which needs {owners[0]}"
        yield Violation(_LOSS, "LOSS_MISMATCH", sentence)
    elif model == "CNN" and loss == "tversky":
        sentence = "expected a loss per image because model_signal is CNN, got 'tversky' (FCN only)"
        yield Violation(_LOSS, "LOSS_MISMATCH", sentence)


def _targets_of_loss(config: Config) -> Iterator[Violation]:
    loss, encoded = config.loss_function.loss, config.preprocessing.categorical_switch
    if loss in ONE_HOT_LOSSES and not encoded:
        sentence = (
            f"expected True because {loss} compares one-hot classes, got False; annotation files "
            "must hold class numbers (files that are one-hot already are not supported)"
        )
        yield Violation(_SWITCH, "LOSS_MISMATCH", sentence)
    elif encoded and (loss == SPARSE_LOSS or loss in REGRESSION_LOSSES):
        kind = "class numbers" if loss == SPARSE_LOSS else "values"
        sentence = f"expected False because {loss} compares {kind}, got True"
        yield Violation(_SWITCH, "LOSS_MISMATCH", sentence)


def _normalized_labels(config: Config) -> Iterator[Violation]:
    kind, loss = config.preprocessing.normalization_type, config.loss_function.loss
    if kind.endswith("_xy") and loss in CLASSIFICATION_LOSSES:
        sentence = (
            f"expected '{kind.removesuffix('y')}' because {loss} needs class numbers, got "
            f"'{kind}', which scales the annotations too"
        )
        yield Violation(_NORMALIZATION, "CONTRADICTION", sentence)


def _intensities(config: Config) -> Iterator[Violation]:
    settings = config.preprocessing
    if not settings.normalization_type.startswith("global_"):
        return
    needed = 2 if settings.normalization_type.endswith("_xy") else 1
    low, high = settings.minimum_image_intensity, settings.maximum_image_intensity
    for key, values in (("minimum_image_intensity", low), ("maximum_image_intensity", high)):
        if len(values) < needed:
            sentence = (
                f"expected two values (images, annotations) because normalization_type is "
                f"{settings.normalization_type}, got {len(values)}"
            )
            yield Violation(f"preprocessing.{key}", "WRONG_LENGTH", sentence)
    for bottom, top in list(zip(low, high, strict=False))[:needed]:
        if not bottom < top:
            sentence = f"expected more than minimum_image_intensity ({bottom:g}), got {top:g}"
            yield Violation("preprocessing.maximum_image_intensity", "CONTRADICTION", sentence)


def _files_to_save(config: Config) -> Iterator[Violation]:
    settings = config.save_configurations
    rows = (
        ("save_model", settings.save_model_switch, settings.save_model_path),
        ("save_csv", settings.save_csv_switch, settings.save_csv_path),
    )
    for name, switch, path in rows:
        if switch and not path:
            sentence = f"expected a file name because {name}_switch is True, got none"
            yield Violation(f"save_configurations.{name}_path", "MISSING", sentence)


def _unwatched(config: Config) -> Iterator[Violation]:
    if config.training_configurations.validation_split > 0 or config.paths.validation_x:
        return
    switches = (
        (_EARLY_STOP, config.training_configurations.early_stop_switch),
        (_PLATEAU, config.learning_rate_schedule.decay_on_plateau_switch),
    )
    for path, switch in switches:
        if switch:
            sentence = "has no effect without validation data; set validation_split or give files"
            yield Violation(path, "NO_EFFECT", sentence)


def _unused_files(config: Config) -> Iterator[Violation]:
    if config.config_file.type_signal != "Train":
        return
    known = settings_of(Paths())
    for key in _FILES_OF_OTHER_SESSIONS:
        if value_of(config.paths, known[key]):
            yield Violation(f"paths.{key}", "NOT_USED", "is not used when type_signal is Train")


def _degenerate_parameters(config: Config) -> Iterator[Violation]:
    settings = config.loss_function
    keys, consequence = _DEGENERATE.get(settings.loss, ((), ""))
    if keys and all(settings.HasField(key) and getattr(settings, key) == 0 for key in keys):
        sentence = f"0 is a poor choice for {settings.loss}: {consequence}; leave it out"
        yield Violation(f"loss_function.{keys[0]}", "DEGENERATE_LOSS", sentence)


def _undone_centering(config: Config) -> Iterator[Violation]:
    kind, switches = config.preprocessing.normalization_type, config.augmentation
    rows = (
        ("samplewise_centering_switch", switches.samplewise_centering_switch),
        ("samplewise_normalization_switch", switches.samplewise_normalization_switch),
    )
    for key, switch in rows:
        if switch and kind.startswith("samplewise_"):
            sentence = f"has no effect because normalization_type {kind} rescales each image after"
            yield Violation(f"augmentation.{key}", "NO_EFFECT", sentence)


RULES = (
    Rule((_SESSION, "paths.train_X", "paths.train_y"), _files_of_training),
    Rule(("paths.validation_X", "paths.validation_y"), _validation_pairs),
    Rule((_SPLIT, "paths.validation_X", "paths.validation_y"), _validation_twice),
    Rule((_MODEL, _LOSS), _loss_of_model),
    Rule((_LOSS, _SWITCH), _targets_of_loss),
    Rule((_LOSS, _NORMALIZATION), _normalized_labels),
    Rule(
        (
            _NORMALIZATION,
            "preprocessing.minimum_image_intensity",
            "preprocessing.maximum_image_intensity",
        ),
        _intensities,
    ),
    Rule((), _files_to_save),
    Rule((_MODEL, layer_rules.PATH), layer_rules.list_of_model),
    Rule((layer_rules.PATH,), layer_rules.inputs),
    Rule(("config_file.input_shape", layer_rules.PATH), layer_rules.input_shape),
    Rule(("preprocessing.image_context", layer_rules.PATH), layer_rules.image_context),
    Rule((layer_rules.PATH,), layer_rules.ranks),
    Rule((layer_rules.PATH,), layer_rules.outer_skips),
    Rule((layer_rules.PATH,), layer_rules.dilations),
    Rule((_MODEL, _LOSS, "preprocessing.categories", layer_rules.PATH), layer_rules.class_count),
)

ADVICE = (
    Rule((_EARLY_STOP, _PLATEAU, _SPLIT, "paths.validation_X"), _unwatched),
    Rule((_SESSION,), _unused_files),
    Rule((_LOSS, "loss_function.parameter1", "loss_function.parameter2"), _degenerate_parameters),
    Rule((_NORMALIZATION,), _undone_centering),
    Rule(("config_file.input_shape", layer_rules.PATH), layer_rules.shape_without_channels),
    Rule(("preprocessing.image_context", layer_rules.PATH), layer_rules.volumes_as_slices),
)
