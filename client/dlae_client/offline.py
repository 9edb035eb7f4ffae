"""What can be said of a configuration without a server: its values, its rules, its data files."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae.v1.training_pb2 import ConfigSource, ValidateResponse
from dlae.v1.training_pb2 import Violation as Row
from dlae_client.configuration import Configuration, config_source
from dlae_core.config import Loaded, complete_config, load_config, read_config
from dlae_core.data.expectation import expectation_from_config
from dlae_core.data.inspection import inspect_pairs
from dlae_core.data.report import problems_of_opening
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.data.unpaired_files import UnpairedFiles, inspect_unpaired
from dlae_core.errors import InvalidConfig, UnusableDataset, Violation


def check_offline(configuration: Configuration) -> ValidateResponse:
    """Checks a configuration and those of its data files that are on this machine.

    Files that are elsewhere are warned of. Networks are not built.

    Raises:
        LocalFileError: The configuration's file cannot be read.
        InvalidRequest: It holds what JSON cannot.
    """
    source = config_source(configuration)
    violations: tuple[Violation, ...] = ()
    warnings: tuple[Violation, ...] = ()
    loaded = None
    try:
        loaded = load_config(_given(source))
        violations, warnings = loaded.unsupported, loaded.warnings
    except InvalidConfig as error:
        violations = error.violations
    found = list(_data_findings(loaded.config if loaded else _partial(source), loaded))
    problems = [row.violation for row in found if row.is_problem]
    doubts = [row.violation for row in found if not row.is_problem]
    return ValidateResponse(
        valid=not violations and not problems,
        violations=[_row(violation) for violation in (*violations, *problems)],
        warnings=[_row(violation) for violation in (*warnings, *doubts)],
    )


def steps_per_epoch(configuration: Configuration) -> int | None:
    """Returns how many steps an epoch has, where the training images are on this machine.

    Without counting groups, of which only whole ones are kept for validation.
    """
    try:
        config = load_config(_given(config_source(configuration))).config
        with SampleFile(Path(config.paths.train_x)) as images:
            count = len(images.names)
    except (InvalidConfig, UnusableDataset):
        return None
    settings = config.training_configurations
    kept = Fraction(str(settings.validation_split))
    if settings.folds:
        kept = Fraction(1, settings.folds)
    rest = count - ceil(count * kept)
    return config.augmentation.rounds * ceil(rest / settings.batch_size)


@dataclass(frozen=True)
class _Finding:
    violation: Violation
    is_problem: bool


def _data_findings(config: Config, loaded: Loaded | None) -> Iterator[_Finding]:
    """Yields what is wrong with the data files, and which were not looked at."""
    paths = config.paths
    pairs = {
        "train": (paths.train_x, paths.train_y),
        "validation": (paths.validation_x, paths.validation_y),
        "test": (paths.test_x, ""),
    }
    for role, names in pairs.items():
        files = {
            f"paths.{role}_{axis}": Path(name)
            for axis, name in zip("Xy", names, strict=True)
            if name
        }
        absent = {place: file for place, file in files.items() if not file.exists()}
        for place, file in absent.items():
            message = f"{file.name} is not on this machine, so that it was not checked"
            yield _Finding(Violation(place, "NOT_CHECKED", message), is_problem=False)
        if files and not absent:
            place, *_ = files
            for problem in _problems(list(files.values()), loaded):
                violation = Violation(place, UnusableDataset.reason, problem)
                yield _Finding(violation, is_problem=True)


def _problems(files: list[Path], loaded: Loaded | None) -> list[str]:
    """Returns what is wrong with images alone or with images and annotations."""
    try:
        if len(files) == 1:
            with SampleFile(files[0]) as images:
                images.read(images.names[0])
            return []
        if loaded and loaded.config.training_configurations.unpaired_switch:
            return _problems_of_unpaired(files, loaded.config)
        problems = problems_of_opening(*files)
        if problems or not loaded:
            return problems
        with PairedFiles(*files) as pairs:
            shape = pairs.annotations.shape(pairs.names[0])
            return inspect_pairs(pairs, expectation_from_config(loaded.config, shape))
    except UnusableDataset as error:
        return list(error.problems)


def _problems_of_unpaired(files: list[Path], config: Config) -> list[str]:
    with UnpairedFiles(*files) as both:
        shape = both.annotations.shape(both.annotations.names[0])
        return inspect_unpaired(both, expectation_from_config(config, shape))


def _partial(source: ConfigSource) -> Config:
    """Returns what is known of a configuration that has mistakes."""
    given = _given(source)
    return complete_config(read_config(given).config if isinstance(given, str) else given).config


def _given(source: ConfigSource) -> str | Config:
    return source.json if source.WhichOneof("source") == "json" else source.config


def _row(violation: Violation) -> Row:
    return Row(path=violation.path, reason=violation.reason, message=violation.message)
