"""NIfTI files."""

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.packing.exactness import smallest_exact
from dlae_core.data.packing.optional import reader
from dlae_core.data.packing.volume import Volume, checked_affine, spacing_of
from dlae_core.errors import UnusableDataset

SUFFIXES = (".nii", ".nii.gz")
_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
_SPACE_AXES = 3

_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    zlib.error,
)


def read_nifti(path: Path, channels: bool = False) -> Volume:
    """Returns a volume with the axes of the file, (i, j, k[, channels]), in its stated units.

    Where the file states no orientation, none is assumed.

    Args:
        path: The file.
        channels: Whether a fourth axis holds channels.

    Raises:
        UnusableDataset: It cannot be read, or has other axes.
    """
    nibabel = reader("nibabel", "NIfTI")
    try:
        image = nibabel.load(path)
        _check_axes(image.shape, channels)
        _check_length(image, path)
        return _volume(image)
    except (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError) as error:
        raise UnusableDataset(["cannot be read as NIfTI; the file is damaged"]) from error
    except _DAMAGED as error:
        raise UnusableDataset(["cannot be read as NIfTI; the file is damaged"]) from error


def _check_axes(shape: tuple[int, ...], channels: bool) -> None:
    lengths = tuple(shape)
    while len(lengths) > _SPACE_AXES and lengths[-1] == 1:
        lengths = lengths[:-1]
    most = _SPACE_AXES + channels
    if not 2 <= len(lengths) <= most or 0 in lengths:
        hint = "; --channels takes a fourth axis as channels" if len(lengths) == 4 else ""
        got = " x ".join(map(str, shape))
        raise UnusableDataset([f"expected a volume of 3 axes, got {got}{hint}"])


def _check_length(image: Any, path: Path) -> None:
    """Refuses a header that claims more than the file can hold, before there is memory for it.

    Raises:
        ValueError: It does.
    """
    claimed = math.prod(image.shape) * image.get_data_dtype().itemsize
    # gzip makes a thousandth of an array at best.
    if claimed > (2000 if path.suffix.lower() == ".gz" else 1) * path.stat().st_size:
        raise ValueError("more values than the file can hold")


def _volume(image: Any) -> Volume:
    array = np.asanyarray(image.dataobj)
    if array.dtype.kind not in "biuf":
        raise UnusableDataset([f"expected numbers, got {array.dtype}"])
    # Trailing axes of length 1, and a third one, are NIfTI's way of saying that there is none.
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.dtype == np.float64:
        array = smallest_exact(array)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    axes, header = min(array.ndim, _SPACE_AXES), image.header
    to_mm = _MM[str(header.get_xyzt_units()[0])]
    if not (int(header["sform_code"]) or int(header["qform_code"])):
        spacing = tuple(float(length) * to_mm for length in header.get_zooms()[:axes])
        return Volume(array, axes, spacing_mm=spacing if all(spacing) else ())
    scale = np.diag([to_mm, to_mm, to_mm, 1.0])
    affine = checked_affine(scale @ np.asarray(image.affine, np.float64))
    return Volume(array, axes, affine, "RAS", spacing_of(affine, axes))
