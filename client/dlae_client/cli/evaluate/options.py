"""What is asked of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from dlae_client.errors import InvalidRequest, LocalFileError

# For the figures; what a metric needs is missed at the first case.
_FOR_FIGURES = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}


@dataclass(frozen=True)
class Options:
    """The options of the command, under their names."""

    predictions: Path | None
    task: str | None
    group_by: str
    output: Path | None
    force: bool
    confidence: float
    draws: int
    seed: int
    data_range: float | None
    batch_size: int


def checked_options(arguments: Sequence[str], options: Options) -> Options:
    """Returns options that go together with the arguments.

    Raises:
        UsageError: They do not.
        LocalFileError: The folder to be written holds something.
        InvalidRequest: Figures are wanted and a library that draws is not installed.
    """
    if options.predictions is None and len(arguments) != 3:
        raise click.UsageError("expected MODEL IMAGES ANNOTATIONS, or --predictions")
    if options.predictions is not None and len(arguments) not in (1, 2):
        raise click.UsageError("expected ANNOTATIONS or IMAGES ANNOTATIONS with --predictions")
    if options.task is not None and options.predictions is None:
        raise click.UsageError("--task goes with --predictions; a model tells its task")
    if options.output is not None:
        _check_output(options.output, options.force)
    return options


def _check_output(folder: Path, force: bool) -> None:
    missing = [name for module, name in _FOR_FIGURES.items() if find_spec(module) is None]
    if missing:
        message = f"figures need {missing[0]}; `pip install 'dlae[evaluation]'` installs it"
        raise InvalidRequest(message, "MISSING_EXTRA")
    if folder.exists() and not folder.is_dir():
        raise LocalFileError(f"{folder} is a file; choose a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise LocalFileError(f"{folder} is not empty; choose another folder or use --force")
