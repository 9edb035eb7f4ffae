"""`dlae-client data preview`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlae.v1.config_pb2 import Config
from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.data import drawing
from dlae_client.cli.data.reading import config_from_file, expectation_of, require_pairs
from dlae_client.errors import InvalidRequest, LocalFileError, UnusableData

if TYPE_CHECKING:
    from dlae_core.data.inspection import Expectation
    from dlae_core.data.preview import Row
    from dlae_core.data.source import PairedFiles


@click.command(epilog=examples("data preview config.json -o samples.png"))
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="PNG to write."
)
@click.option(
    "--samples",
    type=click.IntRange(1, 50),
    default=4,
    show_default=True,
    help="Samples to show, from all over the training files.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 20),
    default=5,
    show_default=True,
    help="Draws of each: those of the first pass of the first epochs.",
)
@click.option("--force", is_flag=True, help="Replace the file.")
@local_command
def preview(
    session: Session, config: Path, output: Path, samples: int, draws: int, force: bool
) -> None:
    """Draws samples of CONFIG's training files as training sees them: augmented.

    The first column shows each sample without augmentation; masks, boxes and points move along. Of
    volumes the middle slice is shown.
    """
    from dlae_core.data.source import PairedFiles  # noqa: PLC0415 - needs h5py
    from dlae_core.errors import UnusableDataset  # noqa: PLC0415

    if output.exists() and not force:
        raise LocalFileError(f"{output} exists already; choose another name or use --force")
    settings = config_from_file(config)
    require_pairs(settings)
    try:
        with PairedFiles(*_files(settings, config.absolute().parent)) as pairs:
            expected = expectation_of(settings, pairs)
            names = drawing.evenly_chosen(pairs.names, samples)
            _check(pairs, expected, names)
            rows = _rows(settings, expected, pairs, names, draws)
    except UnusableDataset as error:
        raise UnusableData(str(error)) from error
    from dlae_client.cli.data.grid import draw_rows  # noqa: PLC0415

    draw_rows(output, rows)
    _tell(session, settings, output, names)


def _files(config: Config, folder: Path) -> tuple[Path, Path]:
    """Returns the training files of a configuration in a folder."""
    paths = (config.paths.train_x, config.paths.train_y)
    if not all(paths):
        message = "expected paths.train_X and paths.train_y in the configuration, got none"
        raise InvalidRequest(message, "MISSING")
    images, annotations = (folder / Path(path).expanduser() for path in paths)
    return images, annotations


def _check(pairs: "PairedFiles", expected: "Expectation", names: list[str]) -> None:
    """Checks the samples to be shown.

    Raises:
        UnusableDataset: They do not suit the network.
    """
    from dlae_core.data.inspection import inspect_sample  # noqa: PLC0415 - as above
    from dlae_core.errors import UnusableDataset  # noqa: PLC0415

    found = [inspect_sample(pairs, expected, name).problems for name in names]
    problems = [sentence for of_one in found for _, sentence in of_one]
    if problems:
        raise UnusableDataset(problems)


def _rows(
    config: Config, expected: "Expectation", pairs: "PairedFiles", names: list[str], draws: int
) -> list["Row"]:
    try:
        from dlae_core.data.preview import preview as rows_of  # noqa: PLC0415 - needs OpenCV
    except ImportError as error:
        message = f"moving images needs {error.name}; `pip install 'dlae[server]'` installs it"
        raise InvalidRequest(message, "MISSING_EXTRA") from error
    return list(rows_of(config, expected, pairs, names, draws))


def _tell(session: Session, config: Config, output: Path, names: list[str]) -> None:
    from dlae_core.data.preview import varies  # noqa: PLC0415 - as above

    if not varies(config):
        session.say("warning: nothing varies; see apply_augmentation_switch and its settings")
    session.print(f"wrote {output}")
    session.document({"path": str(output), "samples": names, "varies": varies(config)})
