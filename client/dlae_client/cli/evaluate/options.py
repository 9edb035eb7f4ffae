"""What is asked of an evaluation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from dlae_client.errors import InvalidRequest, LocalFileError

# For the figures; what a metric needs is missed at the first case.
_FOR_FIGURES = {"matplotlib": "matplotlib", "sklearn": "scikit-learn"}


@dataclass(frozen=True)
class Options:
    """The options of the command, under their names."""

    predictions: Path | None
    stacked: bool
    task: str | None
    group_by: str
    output: Path | None
    force: bool
    confidence: float
    draws: int
    seed: int
    data_range: float | None
    batch_size: int
    settings: tuple[str, ...]

    @property
    def prediction(self) -> dict[str, Any]:
        """How to predict, by the names in the section `prediction` of a configuration.

        Raises:
            UsageError: A setting is not `NAME=VALUE`.
        """
        found: dict[str, Any] = {}
        for setting in self.settings:
            name, equals, value = setting.partition("=")
            try:
                found[name] = json.loads(value.lower().replace("none", "null"))
            except ValueError as error:
                # What is no number, list or switch is a text.
                if not equals or not value:
                    message = f"expected NAME=VALUE, got '{setting}'"
                    raise click.BadParameter(message, param_hint="--set") from error
                found[name] = value
        return found


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
    if options.prediction and options.predictions is not None:
        raise click.UsageError("--set goes with MODEL; predictions are made already")
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
