"""Predictions, annotations and images in files of any format, as two files that pair."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py

from dlae_core.data.packing.finding import Way, find_items
from dlae_core.data.packing.volume import Grid, Volume, on_grid
from dlae_core.data.source import Array, PairedFiles, SampleFile, first_of, write_samples
from dlae_core.errors import UnusableDataset

# Name, array, and what is known of it.
Sample = tuple[str, Array, Mapping[str, Any]]
# What is no file of samples under these names is told by whoever reads it.
_ENDINGS = (".h5", ".hdf5")


@dataclass(frozen=True)
class Found:
    """The samples of a file or folder.

    Attributes:
        path: It.
        is_folder: Whether they have names of their own.
        keys: Their names, in order.
        read: Reads the sample of a place in `keys`.
    """

    path: Path
    is_folder: bool
    keys: tuple[str, ...]
    read: Callable[[int], Volume]


def paired(stack: ExitStack, first: Path, annotations: Path, stacked: bool) -> PairedFiles:
    """Opens two files that pair, HDF5 as they are, others as copies; `stack` closes them.

    Samples of folders go by their names, those of files by their order. Volumes are turned as their
    annotations lie, where both tell that. What is no HDF5 file is numbered in the order of the
    annotations' names.

    Args:
        stack: Closes and removes what is opened and made.
        first: Predictions or images: a file (HDF5, NumPy, NIfTI, picture) or a folder of them.
        annotations: The same.
        stacked: Whether the first axis of NumPy arrays numbers samples.

    Raises:
        UnusableDataset: A file cannot be used, or they do not pair.
    """
    if _is_hdf5(first) and _is_hdf5(annotations):
        return stack.enter_context(PairedFiles(first, annotations))
    folder = Path(stack.enter_context(TemporaryDirectory()))
    way = Way(as_labels=True, stacked=stacked, channels=True)
    one, other = (_found(stack, path, way) for path in (first, annotations))
    pairs = _pairs(one, other)
    names = other.keys if _is_hdf5(annotations) else tuple(map(str, range(len(other.keys))))
    if not _is_hdf5(annotations):
        annotations = folder / f"{annotations.name}.h5"
        write_samples(annotations, _written(other, [(names[at], at) for _, at in pairs], {}))
    grids = {names[at]: partial(_grid, other, at) for _, at in pairs}
    copy = folder / f"{first.name}-paired.h5"
    write_samples(copy, _written(one, [(names[at], number) for number, at in pairs], grids))
    return stack.enter_context(PairedFiles(copy, annotations))


def _is_hdf5(path: Path) -> bool:
    if path.suffix.lower() in _ENDINGS and not path.is_dir():
        return True
    return path.is_file() and bool(h5py.is_hdf5(path))


def _found(stack: ExitStack, path: Path, way: Way) -> Found:
    if _is_hdf5(path):
        file = stack.enter_context(SampleFile(path))
        return Found(path, False, file.names, lambda at: Volume(file.read(file.names[at])))
    items = find_items([path], way).items

    def read(at: int) -> Volume:
        try:
            return items[at].read()
        except UnusableDataset as error:
            place = items[at].path.name
            raise UnusableDataset([f"{place}: {problem}" for problem in error.problems]) from error

    return Found(path, path.is_dir(), tuple(item.key for item in items), read)


def _pairs(one: Found, other: Found) -> list[tuple[int, int]]:
    """Returns the places of samples that go together, in the order of the annotations.

    Raises:
        UnusableDataset: A sample has no annotation.
    """
    if not (one.is_folder or other.is_folder):
        if len(one.keys) != len(other.keys):
            raise UnusableDataset(
                [
                    f"expected as many samples in {one.path.name} as in {other.path.name}, got "
                    f"{len(one.keys)} and {len(other.keys)}; --stacked has the first axis of NumPy "
                    "arrays number samples"
                ]
            )
        return [(at, at) for at in range(len(one.keys))]
    places = {key: at for at, key in enumerate(other.keys)}
    alone = [key for key in one.keys if key not in places]
    if alone:
        problems = [f"{one.path.name}: '{key}' has no annotation of its name" for key in alone]
        raise UnusableDataset(first_of(problems))
    return sorted(((at, places[key]) for at, key in enumerate(one.keys)), key=lambda pair: pair[1])


def _written(
    found: Found, wanted: Sequence[tuple[str, int]], grids: Mapping[str, Callable[[], Grid]]
) -> Iterator[Sample]:
    """Yields samples with the names that they get, turned as their annotations lie."""
    for name, at in wanted:
        volume = found.read(at)
        if volume.affine is not None and name in grids:
            volume = _turned(volume, grids[name](), f"{found.path.name}: '{found.keys[at]}'")
        yield name, volume.array, volume.attributes()


def _turned(volume: Volume, grid: Grid, place: str) -> Volume:
    if grid.affine is None:
        return volume
    try:
        return on_grid(volume, grid)
    except UnusableDataset as error:
        raise UnusableDataset([f"{place}: {problem}" for problem in error.problems]) from error


def _grid(found: Found, at: int) -> Grid:
    return Grid.of(found.read(at))
