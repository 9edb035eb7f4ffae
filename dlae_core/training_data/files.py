"""The files of a training: opened, checked and split."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import file_sha256
from dlae_core.data.groups import groups_of_attribute, groups_of_table
from dlae_core.data.inspection import Expectation, inspect_pairs
from dlae_core.data.report import problems_of_opening
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.data.split import Holdout, Split, check_apart, split_names
from dlae_core.data.unpaired_files import UnpairedFiles, inspect_unpaired
from dlae_core.errors import UnusableDataset

Files = PairedFiles | UnpairedFiles

# Of names that groups hold together across both files.
_IMAGES, _OTHERS = "X", "y"


@contextmanager
def opened(config: Config, expected: Expectation) -> Iterator[tuple[Files, Files | None]]:
    """Opens and inspects the training files and, where given, the validation files.

    Raises:
        UnusableDataset: The files cannot be trained on; every problem is named.
    """
    paths = config.paths
    roles = [(paths.train_x, paths.train_y), (paths.validation_x, paths.validation_y)]
    unpaired = config.training_configurations.unpaired_switch
    with ExitStack() as stack:
        found: list[Files] = []
        problems: list[str] = []
        for given in roles:
            if not given[0]:
                continue
            images, annotations = map(Path, given)
            try:
                files, inspected = (_unpaired if unpaired else _paired)(
                    images, annotations, expected
                )
                stack.enter_context(files)
                found.append(files)
                problems += inspected
            except UnusableDataset as error:
                told = [] if unpaired else problems_of_opening(images, annotations)
                problems += told or error.problems
        if problems:
            raise UnusableDataset(problems)
        yield found[0], found[1] if len(found) > 1 else None


def split_of(config: Config, training: Files, validation: Files | None) -> Split:
    """Returns which samples are trained on, and which validate.

    Raises:
        UnusableDataset: Nothing is left to train on, or a group is on both sides.
    """
    if isinstance(training, UnpairedFiles):
        return _split_of_unpaired(config, training, validation)
    groups = _groups(config, training.images)
    if validation is not None:
        _check_apart(config, groups, validation.images)
        return Split(training.names, validation.names, "validation_X")
    return _divided(config, training.names, groups)


def hashes_of(training: Files, validation: Files | None) -> dict[str, dict[str, Any]]:
    """Returns by role the content hash of each file, and the number of samples."""
    files = {"train_X": training.images, "train_y": training.annotations}
    if validation is not None:
        files |= {"validation_X": validation.images, "validation_y": validation.annotations}
    return {
        role: {"sha256": file_sha256(file.path), "samples": len(file.names)}
        for role, file in files.items()
    }


def _paired(
    images: Path, annotations: Path, expected: Expectation
) -> tuple[PairedFiles, list[str]]:
    pairs = PairedFiles(images, annotations)
    return pairs, inspect_pairs(pairs, expected)


def _unpaired(
    images: Path, annotations: Path, expected: Expectation
) -> tuple[UnpairedFiles, list[str]]:
    files = UnpairedFiles(images, annotations)
    return files, inspect_unpaired(files, expected)


def _split_of_unpaired(config: Config, training: UnpairedFiles, validation: Files | None) -> Split:
    """Splits the samples of both files; a group that both have is on one side only."""
    sides = ((_IMAGES, training.images), (_OTHERS, training.annotations))
    if validation is not None:
        for _, file in sides:
            for other in (validation.images, validation.annotations):
                _check_apart(config, _groups(config, file), other)
        others = training.annotations.names, validation.annotations.names
        return Split(training.names, validation.names, "validation_X", others)
    groups: dict[str, str] = {}
    for side, file in sides:
        own = _groups(config, file)
        groups |= {f"{side}{name}": group for name, group in (own or {}).items()}
    if groups:
        both = _divided(config, tuple(groups), groups)
        found = [_of_side(both, side) for side, _ in sides]
    else:
        found = [_divided(config, file.names, None) for _, file in sides]
    of_images, of_others = found
    others = of_others.training, of_others.validation
    return Split(of_images.training, of_images.validation, others=others)


def _of_side(split: Split, side: str) -> Split:
    """Returns the names of one file, of a split of both."""
    parts = [
        tuple(name.removeprefix(side) for name in names if name.startswith(side))
        for names in (split.training, split.validation)
    ]
    if not all(parts):
        raise UnusableDataset(
            [
                f"expected samples of {side} to train on and to validate with, found "
                f"{len(parts[0])} and {len(parts[1])}; groups divide both files alike"
            ]
        )
    return Split(parts[0], parts[1])


def _divided(config: Config, names: tuple[str, ...], groups: Mapping[str, str] | None) -> Split:
    settings = config.training_configurations
    return split_names(
        names,
        Holdout(settings.validation_split, settings.folds, settings.fold),
        settings.shuffle_data_switch,
        config.augmentation.random_seed,
        groups,
    )


def _check_apart(config: Config, groups: Mapping[str, str] | None, kept: SampleFile) -> None:
    if groups is not None:
        attribute = config.training_configurations.split_group
        check_apart(groups, groups_of_attribute(kept, attribute), kept.path.name)


def _groups(config: Config, images: SampleFile) -> dict[str, str] | None:
    """Returns the group of each sample, None where samples stand alone."""
    settings = config.training_configurations
    kept = bool(settings.validation_split or settings.folds or config.paths.validation_x)
    if settings.split_group and kept:
        return groups_of_attribute(images, settings.split_group)
    if config.paths.split_groups and kept and not config.paths.validation_x:
        return groups_of_table(Path(config.paths.split_groups), images.names)
    return None
