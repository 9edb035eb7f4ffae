"""NIfTI files: a volume, or the slices of one for models of planes; the affine is kept."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae_client.cli.predict.places import NIFTI, format_of
from dlae_client.writing import written_whole
from dlae_core.data.packing.optional import reader
from dlae_core.errors import UnusableDataset

Array = NDArray[Any]
Named = Iterable[tuple[str, Array]]

BOX_COLUMNS = ("class", "confidence", "xmin", "ymin", "xmax", "ymax")
_SPACE_AXES = 3
_DAMAGED = (OSError, ValueError, TypeError, KeyError, EOFError, OverflowError, zlib.error)


class NiftiImages:
    """A file whose one image, or whose slices, are predicted.

    A volume (i, j, k[, channels]) is one image for models of volumes. For models of planes each
    (i, j) along k is an image, named by its number.
    """

    def __init__(self, path: Path, shape: Sequence[int]) -> None:
        """Opens a file.

        Args:
            path: The file.
            shape: Of one image that the model takes, (*space, channels).

        Raises:
            UnusableDataset: It is missing, damaged, or nibabel is not installed.
        """
        self._nibabel = reader("nibabel", "NIfTI")
        self._path, self._axes = path, len(shape) - 1
        self._array = self._loaded()
        if self._array.ndim < self._axes or self._array.ndim > _SPACE_AXES + 1:
            got = " x ".join(map(str, self._array.shape))
            message = f"{path.name}: expected an image of {self._axes} axes, got {got}"
            raise UnusableDataset([message])
        self._sliced = self._axes < _SPACE_AXES <= self._array.ndim
        count = self._array.shape[_SPACE_AXES - 1] if self._sliced else 1
        self.names = tuple(map(str, range(count)))

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
        # The server takes what is scaled in 32 bits anyway.
        kind = self._array.dtype
        return np.dtype(np.float32) if kind == np.float64 else kind.newbyteorder("=")

    def read(self, name: str) -> Array:
        """Returns an image."""
        return np.ascontiguousarray(self._image(name), self.dtype(name))

    def write(self, path: Path, outputs: Named) -> Path:
        """Writes outputs per pixel as NIfTI, others as a table: CSV, one line per row."""
        found = list(outputs)
        space = self._image(self.names[0]).shape[: self._axes]
        if any(output.shape[: self._axes] != space for _, output in found):
            return _write_table(_as_table(path), found)
        if self._sliced:
            joined = np.stack([output for _, output in found], axis=_SPACE_AXES - 1)
        else:
            joined = found[0][1]
        self._save(path, joined)
        return path

    def _image(self, name: str) -> Array:
        image: Array = self._array[:, :, int(name)] if self._sliced else self._array
        return image

    def _loaded(self) -> Array:
        errors = (
            self._nibabel.filebasedimages.ImageFileError,
            self._nibabel.spatialimages.HeaderDataError,
        )
        try:
            self._file = self._nibabel.load(self._path)
            array: Array = np.asanyarray(self._file.dataobj)
        except (*errors, *_DAMAGED) as error:
            message = f"{self._path.name}: cannot be read as NIfTI"
            raise UnusableDataset([message]) from error
        while array.ndim > self._axes and array.ndim > 2 and array.shape[-1] == 1:
            array = array[..., 0]
        if array.dtype.kind not in "biuf" or not array.size:
            message = f"{self._path.name}: expected numbers, got {array.dtype} of {array.shape}"
            raise UnusableDataset([message])
        return array

    def _save(self, path: Path, array: Array) -> None:
        axes = _SPACE_AXES if self._sliced else self._axes
        if array.ndim > axes and array.shape[-1] == 1:
            array = array[..., 0]
        elif array.ndim > axes == 2:
            # The third axis of a file is one of space.
            array = array[:, :, np.newaxis]
        header = self._file.header.copy()
        header.set_data_dtype(array.dtype)
        header.set_slope_inter(1, 0)
        header["cal_min"] = header["cal_max"] = 0
        data = type(self._file)(array, self._file.affine, header).to_bytes()
        if path.name.lower().endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        with written_whole(path) as fresh:
            fresh.write_bytes(data)


def _as_table(path: Path) -> Path:
    name = path.name
    if format_of(path) == NIFTI:
        name = name[: name.lower().rindex(".nii")]
    return path.with_name(f"{name}.csv")


def _write_table(path: Path, outputs: Sequence[tuple[str, Array]]) -> Path:
    rows = [(name, row) for name, output in outputs for row in np.atleast_2d(output)]
    boxes = outputs[0][1].ndim == 2 and outputs[0][1].shape[-1] == len(BOX_COLUMNS)
    length = outputs[0][1].shape[-1] if outputs[0][1].ndim else 1
    columns = BOX_COLUMNS if boxes else tuple(f"value{number}" for number in range(length))
    with written_whole(path) as fresh, fresh.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", *columns))
        table.writerows((name, *row.tolist()) for name, row in rows)
    return path
