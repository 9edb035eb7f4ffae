"""Small files of foreign formats, written for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dlae_core.data.packing import Packed, Recipe, pack
from dlae_core.errors import UnusableDataset

CT = "1.2.840.10008.5.1.4.1.1.2"
# Rows go down along y, columns along x, slices up along z: the plain axial orientation.
AXIAL = (1, 0, 0, 0, 1, 0)

RANDOM = np.random.default_rng(5)
GREY = RANDOM.integers(0, 255, (6, 5), np.uint8)
MASK = np.zeros((6, 5), np.uint8)
MASK[1:3, 2:4] = 255


def write_picture(path: Path, array: np.ndarray, **options: Any) -> None:
    """Writes a picture, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def write_nifti(
    path: Path, array: np.ndarray, affine: np.ndarray | None, slope: Any = None
) -> None:
    """Writes a volume; without an affine, one that states no orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, affine)
    if slope is not None:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)


def write_series(
    folder: Path,
    volume: np.ndarray,
    positions: Sequence[float] | None = None,
    series: str = "",
    order: Sequence[int] | None = None,
    **elements: Any,
) -> None:
    """Writes a CT series of a volume (rows, cols, slices), its files in any order.

    Args:
        folder: Where.
        volume: Stored values, uint16 or int16.
        positions: Of the slices along z, by default every 2.5 mm.
        series: Its UID.
        order: Numbers of the files by slice.
        elements: Other elements; None: left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = volume.shape[2]
    heights = [2.5 * place for place in range(count)] if positions is None else positions
    uid = series or generate_uid()
    for place in range(count):
        number = place if order is None else order[place]
        values = {"ImagePositionPatient": [-10.0, -20.0, heights[place]], "SeriesInstanceUID": uid}
        write_slice(folder / f"{number:03}.dcm", volume[:, :, place], {**values, **elements})


def write_slice(path: Path, pixels: np.ndarray, elements: dict[str, Any]) -> None:
    """Writes one slice."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    values: dict[str, Any] = {
        "SOPClassUID": CT,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "PatientName": "Doe^Jane",
        "PatientID": "SECRET-7",
        "StudyDate": "20240102",
        "Modality": "CT",
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [0.5, 0.75],
        "SliceThickness": 2.5,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
    }
    for key, value in {**values, **elements}.items():
        if value is not None:
            setattr(file, key, value)
    pydicom.dcmwrite(path, file, enforce_file_format=True)


def packed_from(folder: Path, *sources: Path, **settings: Any) -> Packed:
    """Packs what is there, or the folder `images`, into `X.h5` and `y.h5`."""
    recipe = Recipe(sources=sources or (folder / "images",), salt=b"salt", **settings)
    return pack(recipe, folder / "X.h5", folder / "y.h5")


def attributes_of(path: Path, name: str) -> dict[str, Any]:
    """Returns what a sample of a file says of itself."""
    with h5py.File(path) as file:
        return dict(file[name].attrs)


def problems(folder: Path, *sources: Path, **settings: Any) -> tuple[str, ...]:
    """Returns why nothing is packed."""
    with pytest.raises(UnusableDataset) as caught:
        packed_from(folder, *sources, **settings)
    assert not list(folder.glob("*.h5"))
    assert not list(folder.glob(".*"))
    return caught.value.problems
