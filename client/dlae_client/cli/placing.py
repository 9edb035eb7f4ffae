"""Data files of a configuration brought to where the server can read them, and told of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from dlae_client.cli.context import Session
from dlae_client.cli.progress import Bar
from dlae_client.cli.tables import size
from dlae_client.client import Client
from dlae_client.configuration import Configuration
from dlae_client.local_data import Placed
from dlae_client.uploading import Progress
from dlae_core.config.references import SHA256

NO_UPLOAD = click.option(
    "--no-upload",
    is_flag=True,
    help="Send no data; the server reads what lies in its data roots.",
)


def placed(session: Session, client: Client, config: Path, no_upload: bool) -> Configuration:
    """Returns a configuration whose data the server can read; tells what was done for that."""
    if no_upload:
        return config
    with shown_upload() as progress:
        source, files = client.with_data(config, progress)
    for file in files:
        if file.reference:
            session.names[f"{file.reference.removeprefix(SHA256)}.h5"] = file.path.name
        session.say(f"{file.key}: {file.path.name}, {_told(file)}")
    return source


@contextmanager
def shown_upload() -> Iterator[Progress]:
    """Gives what shows the progress of uploads."""
    bar = Bar()

    def show(stage: str, done: int, total: int) -> None:
        fraction = done / total if total else 1.0
        bar.draw(fraction, f"{stage}  {size(done)} of {size(total)}")

    try:
        yield show
    finally:
        bar.clear()


def what_was_done(size_bytes: int, sent_bytes: int) -> str:
    """Returns what an upload came to: `already there`, `uploaded 120 MiB`."""
    if not sent_bytes:
        return "already there"
    rest = f" of {size(size_bytes)}" if sent_bytes < size_bytes else ""
    return f"uploaded {size(sent_bytes)}{rest}"


def _told(file: Placed) -> str:
    if not file.reference:
        return "read where it lies"
    return what_was_done(file.size_bytes, file.sent_bytes)
