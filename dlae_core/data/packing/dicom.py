"""DICOM files: series of slices to volumes, single radiographs to planes."""

import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.packing.dicom_geometry import Plane, stacked
from dlae_core.data.packing.exactness import smallest_exact
from dlae_core.data.packing.optional import reader
from dlae_core.data.packing.volume import Volume, spacing_of
from dlae_core.data.source import Array
from dlae_core.errors import UnusableDataset

SUFFIXES = (".dcm", ".dicom", ".ima")
MAGIC, MAGIC_START = b"DICM", 128
# Kinds of images that are planes of a volume and must say where they lie.
_CROSS_SECTIONS = ("CT", "MR", "PT", "NM")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_HEADER = (
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "PatientID",
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "PhotometricInterpretation",
)

# All that pydicom raises for a file that is damaged, or packed in a way that nothing unpacks.
DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    RecursionError,
    struct.error,
)


@dataclass(frozen=True)
class Header:
    """One file without its pixels.

    Attributes:
        path: The file.
        values: Its elements.
    """

    path: Path
    values: Any

    def text(self, key: str) -> str:
        """Returns an element as text, empty where it is missing."""
        return str(self.values.get(key) or "")

    @property
    def is_plane(self) -> bool:
        """Whether it is one of the planes of a volume."""
        has_place = self.values.get("ImagePositionPatient") is not None
        return has_place or self.text("Modality") in _CROSS_SECTIONS


def is_dicom(path: Path) -> bool:
    """Returns whether a file is DICOM, by its content."""
    try:
        with path.open("rb") as file:
            file.seek(MAGIC_START)
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def dicom_parts(paths: Sequence[Path]) -> Iterator[tuple[Path | None, Any]]:
    """Yields what the DICOM files of one folder make, and how it is read.

    The slices of a series make one volume, told by None; radiographs one plane each.

    Raises:
        UnusableDataset: Files of more than one series, or a file that cannot be read.
    """
    headers = [_header(path) for path in paths]
    planes = [header for header in headers if header.is_plane]
    for header in headers:
        if not header.is_plane:
            yield header.path, partial(_radiograph, header)
    if planes:
        series = {header.text("SeriesInstanceUID") for header in planes}
        if len(series) > 1:
            message = (
                f"expected the slices of one series, got files of {len(series)} series; give each "
                "series a folder of its own"
            )
            raise UnusableDataset([message])
        yield None, partial(_series, planes)


def _header(path: Path) -> Header:
    library = reader("pydicom", "DICOM")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = library.dcmread(path, stop_before_pixels=True, specific_tags=list(_HEADER))
            # Elements are decoded when they are asked for; do so while mistakes are caught.
            for element in values:
                _ = element.value
            frames = int(values.get("NumberOfFrames") or 1)
    except library.errors.InvalidDicomError as error:
        raise UnusableDataset([f"{path.name}: expected DICOM, found something else"]) from error
    except (*DAMAGED, library.errors.BytesLengthException) as error:
        raise UnusableDataset([f"{path.name}: cannot be read; the file is damaged"]) from error
    if frames > 1:
        message = "expected one image per file, got several frames; split them into files first"
        raise UnusableDataset([f"{path.name}: {message}"])
    return Header(path, values)


def _series(headers: Sequence[Header]) -> Volume:
    """Returns the slices of a series as (rows, cols, slices[, 3]), a single one as a plane."""
    stack = stacked([_plane(header) for header in headers])
    by_path = {header.path: header for header in headers}
    pages = [smallest_exact(_pixels(by_path[path])) for path in stack.paths]
    array, axes = (pages[0], 2) if len(pages) == 1 else (np.stack(pages, axis=2), 3)
    # Where some slices are whole numbers and others are not.
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    spacing = spacing_of(stack.affine, axes)
    return Volume(array, axes, stack.affine, "LPS", spacing, **_identity(headers[0]))


def _radiograph(header: Header) -> Volume:
    spacing = _numbers(header, "PixelSpacing", 2) if header.text("PixelSpacing") else ()
    pixels = smallest_exact(_pixels(header))
    return Volume(pixels, axes=2, spacing_mm=spacing, **_identity(header))


def _identity(header: Header) -> dict[str, Any]:
    notes: tuple[str, ...] = ()
    if header.text("PhotometricInterpretation") == "MONOCHROME1":
        notes = ("DICOM files of MONOCHROME1 show high values dark; their values are kept",)
    series = header.text("SOPInstanceUID" if not header.is_plane else "SeriesInstanceUID")
    return {"patient": header.text("PatientID"), "series": series, "notes": notes}


def _plane(header: Header) -> Plane:
    return Plane(
        header.path,
        (int(_number(header, "Rows")), int(_number(header, "Columns"))),
        _numbers(header, "ImagePositionPatient", 3),
        _numbers(header, "ImageOrientationPatient", 6),
        _numbers(header, "PixelSpacing", 2),
        _number(header, "SliceThickness"),
    )


def _number(header: Header, key: str) -> float:
    """Returns an element as a number, 0 where it is missing or none."""
    try:
        number = float(header.values.get(key) or 0)
    except (TypeError, ValueError):
        return 0.0
    return number if np.isfinite(number) else 0.0


def _numbers(header: Header, key: str, count: int) -> tuple[float, ...]:
    found = header.values.get(key)
    try:
        numbers = tuple(float(number) for number in found or ())
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count or not np.isfinite(numbers).all():
        got = "none" if found is None else f"'{found}'"
        message = f"{header.path.name}: expected {key} ({count} numbers), got {got}"
        raise UnusableDataset([message])
    return numbers


def _pixels(header: Header) -> Array:
    """Returns the intensities of one file: float64 after rescaling, (rows, cols[, 3])."""
    library = reader("pydicom", "DICOM")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = library.dcmread(header.path)
            kind = str(values.get("PhotometricInterpretation"))
            if kind in (*_GREY, *_COLOURS):
                stored = np.asarray(values.pixel_array)
                slope = float(values.get("RescaleSlope") or 1)
                return stored * slope + float(values.get("RescaleIntercept") or 0)
    except library.errors.InvalidDicomError as error:
        raise UnusableDataset([f"{header.path.name}: expected DICOM"]) from error
    except (*DAMAGED, library.errors.BytesLengthException) as error:
        message = (
            f"{header.path.name}: the pixels cannot be read; they are damaged, or compressed in a "
            "way that needs a decoder (`pip install pylibjpeg[all]`)"
        )
        raise UnusableDataset([message]) from error
    message = f"{header.path.name}: expected grey levels or colours, got {kind}"
    raise UnusableDataset([message])
