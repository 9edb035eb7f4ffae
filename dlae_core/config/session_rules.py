"""Rules about files and hardware of a session."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config, Paths
from dlae_core.config.file_pattern import fields_of
from dlae_core.config.schema import settings_of, value_of
from dlae_core.config.wording import shown
from dlae_core.errors import Violation

SESSION = "config_file.type_signal"
SPLIT = "training_configurations.validation_split"
EARLY_STOP = "training_configurations.early_stop_switch"
EXAMPLES = "save_configurations.example_images"
BFLOAT16, INT8 = "save_configurations.bfloat16_switch", "save_configurations.int8_switch"
PRECISION = "prediction.precision"
CHECKPOINTS = "save_configurations.save_checkpoints_path"
PLATEAU = "learning_rate_schedule.decay_on_plateau_switch"

# Kinds of model whose examples can be drawn.
_DRAWN = ("FCN", "BBD", "GAN")
_NO_VALIDATION = "has no effect without validation data; set validation_split or give files"
# Files that a session cannot do without, each with what it is for.
_FILES_NEEDED = {
    "Train": (("train_X", "an HDF5 file to train on"), ("train_y", "an HDF5 file to train on")),
    "Train from Checkpoint": (
        ("load_checkpoint", "the checkpoint to go on from"),
        ("train_X", "an HDF5 file to train on"),
        ("train_y", "an HDF5 file to train on"),
    ),
    "Inference": (
        ("load_model", "the model to predict with"),
        ("test_X", "an HDF5 file to predict on"),
    ),
}
# Files that only other sessions read.
_FILES_UNUSED = {
    "Train": ("load_checkpoint", "load_model", "test_X"),
    "Train from Checkpoint": ("load_model", "test_X"),
    "Inference": ("load_checkpoint",),
}


def files_of_session(config: Config) -> Iterator[Violation]:
    """The session has the files that it needs."""
    session, known = config.config_file.type_signal, settings_of(Paths())
    for key, purpose in _FILES_NEEDED.get(session, ()):
        if not value_of(config.paths, known[key]):
            sentence = f"expected {purpose}, got none; type_signal {session} needs one"
            yield Violation(f"paths.{key}", "MISSING", sentence)


def unused_files(config: Config) -> Iterator[Violation]:
    """Warns of files that only other sessions read."""
    session, known = config.config_file.type_signal, settings_of(Paths())
    for key in _FILES_UNUSED.get(session, ()):
        if value_of(config.paths, known[key]):
            sentence = f"is not used when type_signal is {session}"
            yield Violation(f"paths.{key}", "NOT_USED", sentence)


def validation_pairs(config: Config) -> Iterator[Violation]:
    """Validation images and annotations come together."""
    pairs = (
        ("validation_X", config.paths.validation_x, "validation_y", config.paths.validation_y),
        ("validation_y", config.paths.validation_y, "validation_X", config.paths.validation_x),
    )
    for key, path, other_key, other_path in pairs:
        if other_path and not path:
            sentence = f"expected a file beside {other_key}, got none; images and annotations pair"
            yield Violation(f"paths.{key}", "MISSING", sentence)


def validation_twice(config: Config) -> Iterator[Violation]:
    """Validation samples are split off or come from files, not both.

    Differs: DLAE 1.0 ignores the files (D7).
    """
    split = config.training_configurations.validation_split
    if split > 0 and (config.paths.validation_x or config.paths.validation_y):
        sentence = (
            f"expected 0 because validation files are given, got {split:g}; leave out "
            "validation_X and validation_y to split the training files instead"
        )
        yield Violation(SPLIT, "CONTRADICTION", sentence)


def undrawn_examples(config: Config) -> Iterator[Violation]:
    """Warns of pictures that cannot be drawn."""
    if not config.save_configurations.example_images:
        return
    if config.config_file.model_signal not in _DRAWN:
        sentence = f"has no effect because model_signal is not {' or '.join(_DRAWN)}"
        yield Violation(EXAMPLES, "NO_EFFECT", sentence)
    elif not _validates(config):
        yield Violation(EXAMPLES, "NO_EFFECT", _NO_VALIDATION)


def unwatched(config: Config) -> Iterator[Violation]:
    """Warns of what watches the validation loss where there is none."""
    rows = (
        (EARLY_STOP, config.training_configurations.early_stop_switch),
        (PLATEAU, config.learning_rate_schedule.decay_on_plateau_switch),
    )
    for path, switch in () if _validates(config) else rows:
        if switch:
            yield Violation(path, "NO_EFFECT", _NO_VALIDATION)


def unjudged_precisions(config: Config) -> Iterator[Violation]:
    """Warns of precisions that a model is to be predicted in and that nothing can judge it by."""
    settings = config.save_configurations
    rows = (
        (BFLOAT16, settings.bfloat16_switch),
        (INT8, settings.int8_switch),
        (PRECISION, config.prediction.precision != "float32"),
    )
    trains = config.config_file.type_signal != "Inference"
    for path, wanted in rows if trains and not _validates(config) else ():
        if wanted:
            yield Violation(path, "NO_EFFECT", _NO_VALIDATION)


def files_to_save(config: Config) -> Iterator[Violation]:
    """What is to be saved has a place."""
    settings = config.save_configurations
    rows = (
        ("save_model", settings.save_model_switch, settings.save_model_path),
        ("save_csv", settings.save_csv_switch, settings.save_csv_path),
        ("save_checkpoints", settings.save_checkpoints_switch, settings.save_checkpoints_path),
        ("save_tensorboard", settings.save_tensorboard_switch, settings.save_tensorboard_path),
    )
    for name, switch, path in rows:
        if switch and not path:
            sentence = f"expected a file name because {name}_switch is True, got none"
            yield Violation(f"save_configurations.{name}_path", "MISSING", sentence)


def checkpoint_names(config: Config) -> Iterator[Violation]:
    """Names of checkpoints hold the epoch and metrics only."""
    path = config.save_configurations.save_checkpoints_path
    try:
        fields_of(path)
    except ValueError:
        sentence = (
            "expected a file name in which braces hold 'epoch' or a metric and how it is written, "
            f"such as {{epoch:02d}} or {{val_loss:.3f}}, got {shown(path)}"
        )
        yield Violation(CHECKPOINTS, "INVALID_VALUE", sentence)


def number_of_gpus(config: Config) -> Iterator[Violation]:
    """Several GPUs need the hardware `multi-gpu`.

    Differs: DLAE 1.0 trains on several GPUs whatever the hardware says (C26).
    """
    settings = config.training_configurations
    if settings.number_of_gpus > 1 and settings.hardware != "multi-gpu":
        sentence = (
            f"expected 1 because hardware is '{settings.hardware}', got "
            f"{settings.number_of_gpus}; 'multi-gpu' trains on several"
        )
        path = "training_configurations.number_of_gpus"
        yield Violation(path, "CONTRADICTION", sentence)


def _validates(config: Config) -> bool:
    """Returns whether there are validation samples."""
    training = config.training_configurations
    return bool(
        training.validation_split > 0 or training.HasField("folds") or config.paths.validation_x
    )
