"""`dlae-client predict`."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlae_client.cli.context import Session, command
from dlae_client.cli.progress import Bar
from dlae_client.client import Client
from dlae_client.errors import LocalFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlae_core.data.source import SampleFile

BATCH_SAMPLES = 32
BATCH_BYTES = 16 << 20


@click.command()
@click.argument("model")
@click.argument("images", metavar="INPUT.h5", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="HDF5 file to write."
)
@click.option("--labels", is_flag=True, help="Write the most probable class, not the output.")
@click.option(
    "--batch-size",
    type=click.IntRange(1, 4096),
    default=BATCH_SAMPLES,
    show_default=True,
    help="Most images per request.",
)
@command
def predict(
    session: Session, model: str, images: Path, output: Path, labels: bool, batch_size: int
) -> None:
    """Predicts every sample of INPUT.h5 with MODEL (name or name@version).

    OUTPUT gets one dataset per sample, under the sample's name.
    """
    # h5py takes longer to import than the rest of the client together.
    from dlae_core.data.source import SampleFile, write_samples  # noqa: PLC0415
    from dlae_core.errors import DlaeError  # noqa: PLC0415

    if images.exists() and output.exists() and output.samefile(images):
        raise LocalFileError("expected an output file other than the input")
    try:
        with SampleFile(images) as file, session.client() as client:
            found = client.model(model)
            # A version that is stored meanwhile must not predict the rest of the samples.
            exact = f"{found.name}@{found.version}"
            count = write_samples(output, _predicted(client, exact, file, labels, batch_size))
    except DlaeError as error:
        raise LocalFileError(str(error)) from error
    session.print(f"wrote {count} predictions of {exact} to {output}")
    values = {"model": exact, "input": str(images), "output": str(output), "samples": count}
    session.document(values)


def _predicted(
    client: Client, model: str, file: "SampleFile", labels: bool, batch_size: int
) -> Iterator[tuple[str, "NDArray[Any]"]]:
    import numpy as np  # noqa: PLC0415 - as above

    bar, done = Bar(), 0
    try:
        for names in _batches(file, batch_size):
            outputs = client.predict(model, np.stack([file.read(name) for name in names]), labels)
            done += len(names)
            bar.draw(done / len(file.names), f"{done}/{len(file.names)} samples")
            yield from zip(names, outputs, strict=True)
    finally:
        bar.clear()


def _batches(file: "SampleFile", batch_size: int) -> Iterator[list[str]]:
    """Yields names of consecutive samples of one shape and type, few and small enough."""
    names: list[str] = []
    kind: tuple[Any, ...] = ()
    for name in file.names:
        of_this = (file.shape(name), file.dtype(name))
        size = file.dtype(name).itemsize * math.prod(file.shape(name))
        full = len(names) >= batch_size or (len(names) + 1) * size > BATCH_BYTES
        if names and (of_this != kind or full):
            yield names
            names = []
        kind = of_this
        names.append(name)
    yield names
