"""Rules about what is kept for validation."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.errors import Violation

FOLDS = "training_configurations.folds"
FOLD = "training_configurations.fold"
GROUP = "training_configurations.split_group"
TABLE = "paths.split_groups"


def folds_and_other_splits(config: Config) -> Iterator[Violation]:
    """Validation samples are one fold, a fraction or files, not two of them."""
    settings = config.training_configurations
    if not settings.HasField("folds"):
        return
    if settings.validation_split > 0:
        sentence = (
            f"expected None because validation_split is {settings.validation_split:g}, got "
            f"{settings.folds}; leave one of them out"
        )
        yield Violation(FOLDS, "CONTRADICTION", sentence)
    if config.paths.validation_x or config.paths.validation_y:
        sentence = (
            f"expected None because validation files are given, got {settings.folds}; leave out "
            "validation_X and validation_y to split the training files instead"
        )
        yield Violation(FOLDS, "CONTRADICTION", sentence)


def fold_of_folds(config: Config) -> Iterator[Violation]:
    """The fold that is kept is one of the folds."""
    settings = config.training_configurations
    if settings.HasField("folds") and settings.fold >= settings.folds:
        sentence = (
            f"expected a number from 0 to {settings.folds - 1} because folds is "
            f"{settings.folds}, got {settings.fold}"
        )
        yield Violation(FOLD, "CONTRADICTION", sentence)
    elif settings.fold and not settings.HasField("folds"):
        sentence = f"expected 0 because folds is None, got {settings.fold}; set folds as well"
        yield Violation(FOLD, "CONTRADICTION", sentence)


def groups_twice(config: Config) -> Iterator[Violation]:
    """Groups come from an attribute or from a table, not both."""
    if config.training_configurations.split_group and config.paths.split_groups:
        sentence = (
            "expected none because split_groups names a table of groups, got "
            f"'{config.training_configurations.split_group}'; leave one of them out"
        )
        yield Violation(GROUP, "CONTRADICTION", sentence)


def idle_groups(config: Config) -> Iterator[Violation]:
    """Warns of groups where nothing is split."""
    settings = config.training_configurations
    if settings.validation_split > 0 or settings.HasField("folds"):
        return
    if config.paths.split_groups:
        sentence = "has no effect because nothing is split; set validation_split or folds"
        yield Violation(TABLE, "NO_EFFECT", sentence)
    if settings.split_group and not config.paths.validation_x:
        sentence = "has no effect because nothing is split; set validation_split or folds"
        yield Violation(GROUP, "NO_EFFECT", sentence)
