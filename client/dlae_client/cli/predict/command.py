"""The command."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.errors import LocalFileError
from dlae_client.predictions import Asked

if TYPE_CHECKING:
    from dlae_client.cli.predict.work import Written

BATCH_SAMPLES = 32

FILE = click.Path(path_type=Path)
Decorated = Callable[..., Any]


def _switch(name: str, text: str) -> Decorated:
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


_OPTIONS = (
    click.option("-o", "--output", type=FILE, required=True, help="File or folder to write."),
    click.option("--labels", "kind", flag_value="labels", help="Write the most probable class."),
    click.option("--boxes", "kind", flag_value="boxes", help="Write a detector's boxes."),
    click.option(
        "--raw", "kind", flag_value="output", help="Write the network's output, such as it is."
    ),
    click.option(
        "--threshold",
        metavar="P",
        help="Label from this probability with what is no background; none: the most probable.",
    ),
    _switch("largest", "Keep the largest component of each class in labels."),
    _switch("fill", "Fill the holes of each class in labels."),
    click.option("--confidence", type=float, help="Write boxes more probable than this."),
    click.option("--overlap", type=float, help="Part that tiles of large images have in common."),
    click.option("--blend", type=click.Choice(["gaussian", "average"]), help="How tiles join."),
    click.option(
        "--flip", "flips", multiple=True, metavar="AXIS", help="Average over this axis; none: none."
    ),
    click.option("--at-once", type=int, help="Images or tiles in memory at once."),
    _switch("resize", "Resize images of another size, and outputs back."),
    _switch("units", "Write values in the units of the annotations."),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16", "int8"]),
        help="Numbers to calculate with; fewer bits are faster, where the model was accepted.",
    ),
    click.option("--can-wait", is_flag=True, help="Let others go first."),
    click.option("--describe", is_flag=True, help="Tell what was done."),
    click.option("--figure", type=FILE, metavar="PNG", help="Draw predictions over images."),
    click.option(
        "--batch-size",
        type=click.IntRange(1, 4096),
        default=BATCH_SAMPLES,
        show_default=True,
        help="Most images per request.",
    ),
)


def _with_options(function: Decorated) -> Decorated:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command(
    epilog=examples(
        "predict tissue scan.nii.gz -o labels.nii.gz --labels",
        "predict tissue@production scans/ -o found/ --largest --figure seen.png",
    )
)
@click.argument("model", shell_complete=model_references)
@click.argument("inputs", metavar="INPUT...", type=FILE, nargs=-1, required=True)
@_with_options
@command
def predict(
    session: Session, model: str, inputs: tuple[Path, ...], output: Path, **given: Any
) -> None:
    """Predicts images with MODEL (name, name@version or name@alias).

    INPUT is an HDF5 (.h5), NumPy (.npy, .npz) or NIfTI (.nii, .nii.gz) file, or a folder of them.
    Predictions have the names of the images and the format of their file; OUTPUT is a file for a
    file, else a folder. What no option says is as the model's own settings say.
    """
    # NumPy and h5py take longer to import than the rest of the client together.
    from dlae_client.cli.predict.places import places  # noqa: PLC0415
    from dlae_client.cli.predict.work import Work, write_predictions  # noqa: PLC0415
    from dlae_core.errors import DlaeError  # noqa: PLC0415

    asked = Asked(given["kind"] or "", _options(given), given["can_wait"], given["describe"])
    try:
        with session.client() as client:
            found = places(inputs, output)
            work = Work(client, client.model(model), asked, given["batch_size"])
            figure = given["figure"]
            written = write_predictions(work, found, figure)
    except DlaeError as error:
        raise LocalFileError(str(error)) from error
    _tell(session, written)


def _tell(session: Session, written: "Written") -> None:
    for file in written.files:
        count, exact = file["samples"], written.model
        session.print(f"wrote {count} predictions of {exact} to {file['output']}")
    for line in written.described():
        session.print(line)
    session.document(written.document())


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Returns what differs from the model's own settings, by their names."""
    values = {
        "largest_component_switch": given["largest"],
        "fill_holes_switch": given["fill"],
        "confidence_threshold": given["confidence"],
        "tile_overlap": given["overlap"],
        "tile_blend": given["blend"],
        "images_at_once": given["at_once"],
        "resize_switch": given["resize"],
        "annotation_units_switch": given["units"],
        "precision": given["precision"],
    }
    options = {name: value for name, value in values.items() if value is not None}
    if given["threshold"] is not None:
        options["threshold"] = _number(given["threshold"], float, "--threshold")
    if given["flips"]:
        axes = [_number(axis, int, "--flip") for axis in given["flips"]]
        options["flips"] = [axis for axis in axes if axis is not None]
    return options


def _number(text: str, kind: Callable[[str], float], option: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return kind(text)
    except ValueError as error:
        message = f"expected a number or none, got '{text}'"
        raise click.BadParameter(message, param_hint=option) from error
