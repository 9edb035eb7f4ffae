"""`dlae-client data pack`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.progress import Bar
from dlae_client.errors import InvalidRequest, LocalFileError, UnusableData

if TYPE_CHECKING:
    from dlae_core.data.packing import Packed, Recipe

IMAGES, ANNOTATIONS = "X.h5", "y.h5"
SHOWN = 10

_PATH = click.Path(path_type=Path)
_KINDS = ("masks", "targets", "classes", "coordinates", "boxes")


@click.command(
    epilog=examples("data pack studies/ -o packed/ --masks '*_seg.nii.gz' --group-from folder")
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", type=_PATH, help=f"Folder for {IMAGES} and {ANNOTATIONS}.")
@click.option("--images", type=_PATH, help="File for the images, instead of a folder.")
@click.option("--annotations", type=_PATH, help="File for the annotations.")
@click.option("--masks", type=_PATH, help="Folder of label maps with the names of the images.")
@click.option("--targets", type=_PATH, help="Folder of images or values to be predicted, likewise.")
@click.option("--suffix", default="", help="What names of masks or targets end in: '_mask'.")
@click.option("--classes", type=_PATH, help="CSV: name, class.")
@click.option("--coordinates", type=_PATH, help="CSV: name and columns of numbers.")
@click.option("--boxes", type=_PATH, help="CSV: name, class, xmin, ymin, xmax, ymax.")
@click.option("--boxes-from-masks", is_flag=True, help="Box the connected regions of the masks.")
@click.option(
    "--smallest-px",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Box no region of fewer pixels.",
)
@click.option("--relabel", default="", help="'255=1,128=2', or 'auto': numbered as found.")
@click.option("--slices", is_flag=True, help="Cut volumes into 2D slices.")
@click.option(
    "--slice-axis",
    type=click.IntRange(0, 2),
    default=2,
    show_default=True,
    help="Axis across which they are cut.",
)
@click.option("--stacked", is_flag=True, help="The first axis of NumPy arrays numbers samples.")
@click.option("--channels", is_flag=True, help="The fourth axis of NIfTI files holds channels.")
@click.option(
    "--group-from",
    default="",
    metavar="folder|REGEX",
    help="Which samples belong to one patient: those of the first folder below SOURCE, or of the "
    "same match in the path. Else the patient of DICOM files, or the volume of slices.",
)
@click.option(
    "--salt",
    envvar="DLAE_PACK_SALT",
    help="Secret for pseudonyms that stay the same in several runs; also DLAE_PACK_SALT.",
)
@click.option("--listing", type=_PATH, help="CSV with the source of each sample, in clear.")
@click.option("--force", is_flag=True, help="Replace files.")
@local_command
def pack(session: Session, sources: tuple[Path, ...], force: bool, **options: Any) -> None:
    """Makes a data set of pictures, NumPy arrays, NIfTI files and DICOM series.

    Writes two HDF5 files, images and annotations, with datasets named 0, 1, 2, ... Spacing and
    orientation are kept as attributes; source and patient only as salted hashes. Without
    annotations only the images are written.
    """
    from dlae_core.data.packing import pack as packed_from  # noqa: PLC0415 - needs h5py
    from dlae_core.data.packing import write_listing  # noqa: PLC0415
    from dlae_core.errors import DlaeError, UnusableDataset  # noqa: PLC0415

    listing = options.pop("listing")
    images, annotations = _outputs(options)
    recipe = _recipe(sources, options)
    written = (images, annotations) if recipe.kind else (images,)
    for path in (*written, *([listing] if listing else [])):
        _check_output(path, force)
    bar = Bar()
    try:
        packed = packed_from(
            recipe,
            images,
            annotations,
            lambda what, done, count: bar.draw(done / count, f"{what} {done}/{count}"),
        )
        if listing:
            write_listing(listing, packed)
    except UnusableDataset as error:
        raise UnusableData(str(error)) from error
    except DlaeError as error:
        raise LocalFileError(str(error)) from error
    finally:
        bar.clear()
    _tell(session, packed, written)


def _outputs(options: dict[str, Any]) -> tuple[Path, Path]:
    """Returns where images and annotations go."""
    output, images = options.pop("output"), options.pop("images")
    annotations = options.pop("annotations")
    if (output is None) == (images is None):
        raise InvalidRequest("expected either --output or --images with --annotations", "USAGE")
    if output is not None:
        if annotations is not None:
            raise InvalidRequest("expected --images with --annotations, got --output", "USAGE")
        return output / IMAGES, output / ANNOTATIONS
    if any(options[kind] for kind in _KINDS) and annotations is None:
        raise InvalidRequest("expected --annotations beside --images, got none", "USAGE")
    return images, annotations or images.with_name(ANNOTATIONS)


def _recipe(sources: tuple[Path, ...], options: dict[str, Any]) -> "Recipe":
    from dlae_core.data.packing import Recipe  # noqa: PLC0415 - as above

    salt = options.pop("salt")
    known = {"salt": salt.encode()} if salt else {}
    return Recipe(sources=sources, **options, **known)


def _check_output(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise LocalFileError(f"{path} exists already; choose another name or use --force")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFileError(f"cannot make {path.parent}: {error.strerror or error}") from error


def _tell(session: Session, packed: "Packed", written: tuple[Path, ...]) -> None:
    for warning in packed.warnings:
        session.say(f"warning: {warning}")
    for (lengths, dtype), count in packed.forms.most_common(SHOWN):
        session.print(f"{count:,} of {' x '.join(map(str, lengths))}, {dtype}")
    if packed.classes:
        numbers = ", ".join(f"{name} = {number}" for name, number in packed.classes.items())
        session.print(f"classes: {numbers}")
    told = f"{packed.samples:,} samples, {packed.sources:,} sources, "
    session.print(told + (f"{packed.groups:,} groups" if packed.groups else "groups not known"))
    session.print(f"wrote {' and '.join(map(str, written))}")
    forms = [
        {"shape": list(lengths), "dtype": dtype, "count": count}
        for (lengths, dtype), count in packed.forms.most_common()
    ]
    session.document(
        {
            "files": [str(path) for path in written],
            "samples": packed.samples,
            "sources": packed.sources,
            "groups": packed.groups,
            "forms": forms,
            "classes": packed.classes,
            "warnings": packed.warnings,
        }
    )
