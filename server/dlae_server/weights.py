"""The command `dlae-server weights`: the ImageNet weights that the server's networks start from."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import click

from dlae_core.backbones.weight_files import BY_NAME, WEIGHT_FILES
from dlae_core.errors import CorruptArtifact, StorageFailed, WeightsNotFound
from dlae_server.sentences import sentences
from dlae_server.settings import Settings


@click.group()
def weights() -> None:
    """Installs the files of ImageNet weights that Keras publishes."""


@weights.command("import")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.pass_obj
def import_files(settings: Settings, files: tuple[Path, ...]) -> None:
    """Checks files and copies them into the server's folder of weights.

    A file keeps the name that Keras gave it; `dlae-server weights list` has them all. Nothing is
    copied if any file is wrong.
    """
    folder = settings.weights_folder
    with sentences():
        for file in files:
            check(file)
        for file in files:
            install(file, folder)
            click.echo(f"installed {file.name} in {folder}")


@weights.command("list")
@click.pass_obj
def list_files(settings: Settings) -> None:
    """Lists the files by network, and which of them are installed."""
    for network, files in WEIGHT_FILES.items():
        for file, use in ((files.no_top, "features"), (files.top, "classifier")):
            state = "installed" if (settings.weights_folder / file.name).is_file() else "-"
            click.echo(f"{network:<18} {use:<11} {state:<10} {file.name}")


def check(path: Path) -> None:
    """Checks that a file is one that Keras publishes.

    Raises:
        WeightsNotFound: It is missing or has no name of such a file.
        CorruptArtifact: Its checksum is another.
    """
    if path.name not in BY_NAME:
        raise WeightsNotFound(
            f"expected a file of ImageNet weights, got {path.name}; `dlae-server weights list` "
            "shows the names"
        )
    if not path.is_file():
        raise WeightsNotFound(f"there is no file {path}")
    try:
        whole = BY_NAME[path.name].is_whole(path)
    except OSError as error:
        raise WeightsNotFound(f"cannot read {path}: {error.strerror}") from error
    if not whole:
        raise CorruptArtifact(
            f"{path} is not what Keras publishes under this name, going by its checksum; download "
            "it again"
        )


def install(path: Path, folder: Path) -> None:
    """Copies a file into a folder, where it appears whole or not at all.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    temporary = folder / f".{path.name}.{os.getpid()}.importing"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, temporary.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.replace(folder / path.name)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"cannot write {path.name} into {folder}: {error.strerror or error}"
        raise StorageFailed(message) from error
