"""Which files are predicted, and where their predictions go."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlae_client.errors import LocalFileError

HDF5, NUMPY, ZIPPED, NIFTI = "hdf5", "npy", "npz", "nifti"
_ENDINGS = {
    ".h5": HDF5,
    ".hdf5": HDF5,
    ".npy": NUMPY,
    ".npz": ZIPPED,
    ".nii": NIFTI,
    ".nii.gz": NIFTI,
}


@dataclass(frozen=True)
class Place:
    """A file to predict.

    Attributes:
        source: The file.
        target: The file to write.
        format: One of the formats above.
    """

    source: Path
    target: Path
    format: str


def format_of(path: Path) -> str | None:
    """Returns the format that a file's name says, None where it says none."""
    name = path.name.lower()
    return next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), None)


def places(inputs: Sequence[Path], output: Path) -> list[Place]:
    """Returns what is to be predicted, with its place below or at `output`.

    Raises:
        LocalFileError: A file is missing, or two would be written to one place.
    """
    if len(inputs) == 1 and _is_file_for(inputs[0], output):
        found = [_place(inputs[0], output)]
    else:
        found = [place for source in inputs for place in _below(source, output)]
        if not found:
            names = ", ".join(map(str, inputs))
            message = f"expected HDF5, NumPy or NIfTI files in {names}, found none"
            raise LocalFileError(message)
    _check(found)
    for place in found:
        _make_folder(place.target.parent)
    return found


def _is_file_for(source: Path, output: Path) -> bool:
    """Returns whether the output is a file: of the input's own format, or any name for HDF5."""
    if source.is_dir() or output.is_dir():
        return False
    kind = format_of(source) or HDF5
    return kind == HDF5 or format_of(output) == kind


def _place(source: Path, target: Path) -> Place:
    return Place(source, target, format_of(source) or HDF5)


def _below(source: Path, output: Path) -> Iterator[Place]:
    if not source.exists():
        raise LocalFileError(f"{source}: expected a file or a folder, found nothing")
    if not source.is_dir():
        yield _place(source, output / source.name)
        return
    for name, folders, files in os.walk(source):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        paths = [Path(name, file) for file in sorted(files) if not file.startswith(".")]
        for path in paths:
            if format_of(path) and path.is_file():
                yield _place(path, output / path.relative_to(source))


def _check(found: Sequence[Place]) -> None:
    known: dict[Path, Path] = {}
    for place in found:
        other = known.setdefault(place.target, place.source)
        if other is not place.source:
            message = f"expected files of different names, got {other} and {place.source}"
            raise LocalFileError(message)
        exist = place.source.exists() and place.target.exists()
        if exist and place.target.samefile(place.source):
            raise LocalFileError("expected an output file other than the input")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFileError(f"cannot make the folder {path}: {error.strerror}") from error
