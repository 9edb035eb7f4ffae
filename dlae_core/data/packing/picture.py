"""PNG, TIFF, JPEG and BMP files."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.packing.optional import reader
from dlae_core.data.packing.volume import Volume
from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
_LOSSY = (".jpg", ".jpeg")

_GREY_MODES = ("1", "L", "I", "I;16", "I;16B", "I;16L", "F")
_COLOUR_MODES = ("RGB",)
_ALPHA_MODES = ("LA", "RGBA")
_OPAQUE = 255

# All that Pillow raises for a file that is damaged.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    ZeroDivisionError,
    NotImplementedError,
    struct.error,
    zlib.error,
)


def read_picture(path: Path, as_labels: bool = False) -> Volume:
    """Returns a picture, (rows, cols) or (rows, cols, 3); a TIFF of pages as (rows, cols, pages).

    Args:
        path: The file.
        as_labels: Whether it holds class numbers: the numbers of a palette then are the classes.

    Raises:
        UnusableDataset: It cannot be read as it is without a loss.
    """
    library = reader("PIL.Image", "pictures")
    if as_labels and path.suffix.lower() in _LOSSY:
        raise UnusableDataset(["JPEG changes class numbers; save label maps as PNG"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with library.open(path) as picture:
                pages = [_page(picture, page, as_labels) for page in range(_pages(picture))]
    except library.DecompressionBombError as error:
        raise UnusableDataset(["the picture is too large"]) from error
    except _DAMAGED as error:
        raise UnusableDataset(["cannot be read as a picture; the file is damaged"]) from error
    return _stacked(pages)


def _pages(picture: Any) -> int:
    return int(getattr(picture, "n_frames", 1))


def _stacked(pages: list[Array]) -> Volume:
    if len(pages) == 1:
        return Volume(pages[0], axes=2)
    forms = {(page.shape, page.dtype) for page in pages}
    if len(forms) > 1:
        raise UnusableDataset([f"expected pages of one size and type, got {len(forms)} kinds"])
    return Volume(np.stack(pages, axis=2), axes=3)


def _page(picture: Any, page: int, as_labels: bool) -> Array:
    if page:
        picture.seek(page)
    if picture.mode not in _GREY_MODES and "16" in str(picture.tile):
        message = (
            "expected 8 bits per colour, got 16, of which half would be lost; save the channels "
            "as NumPy arrays"
        )
        raise UnusableDataset([message])
    if not as_labels:
        picture = _upright(picture)
    return _native(_labels(picture) if as_labels else _intensities(picture))


def _upright(picture: Any) -> Any:
    """Returns a picture as it is shown: cameras note how they were held."""
    return reader("PIL.ImageOps", "pictures").exif_transpose(picture)


def _intensities(picture: Any) -> Array:
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    mode = picture.mode
    if mode in _GREY_MODES or mode in _COLOUR_MODES:
        return np.asarray(picture)
    if mode not in _ALPHA_MODES:
        raise UnusableDataset([f"expected grey levels or RGB colours, got the mode {mode}"])
    array = np.asarray(picture)
    if (array[..., -1] != _OPAQUE).any():
        raise UnusableDataset(["expected an opaque picture, got one with transparency"])
    return array[..., 0] if mode == "LA" else array[..., :-1]


def _labels(picture: Any) -> Array:
    if picture.mode in ("P", *_GREY_MODES):
        return np.asarray(picture)
    array = _intensities(picture)
    if array.ndim == 3:
        if (array != array[..., :1]).any():
            raise UnusableDataset(["expected one class number per pixel, got colours"])
        array = array[..., 0]
    return array


def _native(array: Array) -> Array:
    if array.dtype == bool:
        return array.astype(np.uint8)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))
