"""NumPy files: an image, or a batch of images, per array."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae_client.writing import written_whole
from dlae_core.data.packing.arrays import DAMAGED
from dlae_core.errors import UnusableDataset

Array = NDArray[Any]
Named = Iterable[tuple[str, Array]]

_BOX_COLUMNS = 6


class Stacks:
    """Arrays by name, each an image or a batch of them. Images are named `array#number`."""

    def __init__(self, arrays: Mapping[str, Array], shape: Sequence[int]) -> None:
        """Takes arrays.

        Args:
            arrays: The arrays.
            shape: Of one image that the model takes, (*space, channels).

        Raises:
            UnusableDataset: An array is neither an image nor a batch.
        """
        self._arrays = arrays
        self._single = {name: _is_one(name, array, shape) for name, array in arrays.items()}
        self._places = {
            f"{name}#{row}" if name else str(row): (name, row)
            for name, array in arrays.items()
            for row in range(1 if self._single[name] else len(array))
        }
        self.names = tuple(self._places)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of an image."""
        return self._image(name).shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the type of its elements."""
        return self._image(name).dtype

    def read(self, name: str) -> Array:
        """Returns an image."""
        image = np.asarray(self._image(name))
        return np.ascontiguousarray(image, image.dtype.newbyteorder("="))

    def _image(self, name: str) -> Array:
        array, row = self._places[name]
        found = self._arrays[array]
        return found if self._single[array] else found[row]

    def _joined(self, outputs: Named) -> Iterator[tuple[str, Array]]:
        """Yields the outputs of each array, as one array; of a batch, with its axis."""
        for array, group in groupby(outputs, lambda named: self._places[named[0]][0]):
            parts = [output for _, output in group]
            yield array, parts[0] if self._single[array] else stacked(parts)


class ArrayFile(Stacks):
    """A `.npy` file."""

    def __init__(self, path: Path, shape: Sequence[int]) -> None:
        super().__init__({"": _loaded(path)}, shape)

    def write(self, path: Path, outputs: Named) -> Path:
        """Writes all outputs as one array."""
        ((_, array),) = self._joined(outputs)
        return _saved(path, lambda file: np.save(file, array, allow_pickle=False))


class ArrayArchive(Stacks):
    """A `.npz` file."""

    def __init__(self, path: Path, shape: Sequence[int]) -> None:
        archive = _loaded(path)
        try:
            arrays = {name: archive[name] for name in archive.files}
        except DAMAGED as error:
            raise _damaged(path) from error
        super().__init__(arrays, shape)

    def write(self, path: Path, outputs: Named) -> Path:
        """Writes an array of outputs for each array of images, under its name."""
        joined = dict(self._joined(outputs))
        return _saved(path, lambda file: _write_archive(file, joined))


def stacked(parts: Sequence[Array]) -> Array:
    """Returns outputs as one array; boxes, (boxes, 6), with rows of zeros after the last one."""
    if len({part.shape for part in parts}) > 1 and parts[0].shape[1:] == (_BOX_COLUMNS,):
        most = max(len(part) for part in parts)
        parts = [np.pad(part, ((0, most - len(part)), (0, 0))) for part in parts]
    return np.stack(parts)


def _is_one(name: str, array: Array, shape: Sequence[int]) -> bool:
    """Returns whether an array is one image, not a batch of them."""
    rank, channels = len(shape), shape[-1]
    if array.dtype.kind in "biuf" and array.size:
        if array.ndim == rank + 1:
            return False
        if array.ndim == rank:
            # Of one channel, its axis may be left out of every image of a batch.
            return channels > 1 or array.shape[-1] == 1
        if array.ndim == rank - 1 and channels == 1:
            return True
    axes = ", ".join("any" if number < rank - 1 else str(channels) for number in range(rank))
    what = f"array '{name}'" if name else "the array"
    message = (
        f"{what}: expected numbers of shape ({axes}), or a batch of such images, got "
        f"{array.dtype} of shape {array.shape}"
    )
    raise UnusableDataset([message])


def _loaded(path: Path) -> Any:
    try:
        # Pickled objects are code; they are not loaded.
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UnusableDataset:
    message = f"{path.name}: cannot be read as NumPy arrays of numbers"
    return UnusableDataset([message])


def _write_archive(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _saved(path: Path, write: Callable[[IO[bytes]], None]) -> Path:
    with written_whole(path) as fresh, fresh.open("wb") as file:
        write(file)
    return path
