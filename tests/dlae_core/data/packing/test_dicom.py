"""DICOM series: order, geometry, rescaling, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.data.packing.finding import Way, find_items
from dlae_core.data.packing.volume import Volume
from dlae_core.errors import UnusableDataset
from tests.dlae_core.data.packing.files import AXIAL, write_series, write_slice

VOLUME = np.random.default_rng(3).integers(0, 2000, (4, 3, 5), np.uint16)


def _read(folder: Path) -> Volume:
    (item,) = find_items((folder,), Way()).items
    return item.read()


def _problem(folder: Path) -> str:
    with pytest.raises(UnusableDataset) as caught:
        _read(folder)
    return caught.value.problems[0]


def test_slices_are_ordered_by_their_place_not_by_their_file(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME, order=(3, 0, 4, 1, 2))
    found = _read(tmp_path)
    assert (found.array.dtype, found.axes, found.frame) == (np.int16, 3, "LPS")
    np.testing.assert_array_equal(found.array, VOLUME.astype(int) - 1024)
    assert found.spacing_mm == (0.5, 0.75, 2.5)
    assert found.orientation() == "PLS"


def test_the_affine_maps_row_column_and_slice_to_the_patient(tmp_path: Path) -> None:
    # A sagittal series: columns run to the back, rows to the feet, slices to the right.
    directions = (0, 1, 0, 0, 0, -1)
    for place in range(3):
        elements = {
            "ImageOrientationPatient": list(directions),
            "ImagePositionPatient": [5.0 - 2 * place, 7.0, 9.0],
            "SeriesInstanceUID": "1.2",
        }
        write_slice(tmp_path / f"{place}.dcm", np.full((4, 3), place, np.int16), elements)
    found = _read(tmp_path)
    assert found.affine is not None
    # The normal of these directions points to the right, so slices stay in this order.
    np.testing.assert_array_equal(found.array[0, 0], np.arange(3) - 1024)
    place = found.affine @ [1, 2, 1, 1]
    np.testing.assert_allclose(place, [5 - 2, 7 + 2 * 0.75, 9 - 0.5, 1])


def test_rescaling_that_leaves_whole_numbers_keeps_them_small(tmp_path: Path) -> None:
    write_series(tmp_path / "small", VOLUME, RescaleSlope=2, RescaleIntercept=-10)
    np.testing.assert_array_equal(_read(tmp_path / "small").array, VOLUME.astype(int) * 2 - 10)
    write_series(tmp_path / "large", VOLUME, RescaleSlope=100)
    assert _read(tmp_path / "large").array.dtype == np.int32
    write_series(tmp_path / "halves", VOLUME, RescaleSlope=0.5)
    halves = _read(tmp_path / "halves").array
    assert halves.dtype == np.float32
    np.testing.assert_array_equal(halves, VOLUME * np.float32(0.5) - 1024)
    write_series(tmp_path / "none", VOLUME, RescaleSlope=None, RescaleIntercept=None)
    np.testing.assert_array_equal(_read(tmp_path / "none").array, VOLUME)


def test_a_single_slice_is_a_plane(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME[:, :, :1])
    found = _read(tmp_path)
    assert (found.array.shape, found.axes, found.spacing_mm) == ((4, 3), 2, (0.5, 0.75))


def test_a_tilted_gantry_shears_the_affine(tmp_path: Path) -> None:
    for place in range(3):
        position = [0.0, 0.5 * place, 3.0 * place]
        elements = {"ImagePositionPatient": position, "SeriesInstanceUID": "1.2"}
        write_slice(tmp_path / f"{place}.dcm", VOLUME[:, :, place], elements)
    found = _read(tmp_path)
    assert found.affine is not None
    np.testing.assert_allclose(found.affine[:3, 2], [0, 0.5, 3])


def test_rounded_positions_are_even(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME, positions=[0, 0.6, 1.3, 1.9, 2.5])
    assert _read(tmp_path).spacing_mm[2] == pytest.approx(0.625)


@pytest.mark.parametrize(
    ("positions", "sentence"),
    [
        ([0, 2.5, 5, 10, 12.5], "slices every 2.5 mm, but 1 are missing: the first gap is 5 mm"),
        ([0, 2.5, 5, 7.5, 9], "expected evenly spaced slices, got distances from 1.5 to 2.5 mm"),
        ([0, 2.5, 2.5, 5, 7.5], "expected one slice at each position, got several"),
        ([0, 0, 0, 0, 0], "expected one slice at each position, got several"),
    ],
)
def test_slices_that_are_not_even_are_refused(
    tmp_path: Path, positions: list[float], sentence: str
) -> None:
    write_series(tmp_path, VOLUME, positions=positions)
    assert sentence in _problem(tmp_path)


def test_files_of_two_series_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME, series="1.2")
    write_series(tmp_path, VOLUME, series="1.3", order=(10, 11, 12, 13, 14))
    assert "expected the slices of one series, got files of 2 series" in _problem(tmp_path)


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        ({"PixelSpacing": [0.5, 0.5]}, "expected the same PixelSpacing in a series"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "expected parallel slices"),
        ({"ImagePositionPatient": None}, "expected ImagePositionPatient (3 numbers), got none"),
        ({"ImageOrientationPatient": None}, "expected ImageOrientationPatient (6 numbers)"),
        ({"PixelSpacing": None}, "expected PixelSpacing (2 numbers), got none"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "expected grey levels or colours"),
        ({"PixelData": b"short"}, "the pixels cannot be read"),
        ({"PixelData": None}, "the pixels cannot be read"),
        ({"BitsAllocated": None}, "the pixels cannot be read"),
        ({"NumberOfFrames": 3}, "expected one image per file, got several frames"),
    ],
)
def test_one_odd_slice_is_named(tmp_path: Path, elements: dict[str, Any], sentence: str) -> None:
    write_series(tmp_path, VOLUME, series="1.2")
    values = {"ImagePositionPatient": [-10.0, -20.0, 12.5], "SeriesInstanceUID": "1.2", **elements}
    write_slice(tmp_path / "odd.dcm", VOLUME[:, :, 0], values)
    found = _problem(tmp_path)
    assert sentence in found
    assert "odd.dcm" in found


def test_slices_of_two_sizes_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME, series="1.2")
    position = {"ImagePositionPatient": [0, 0, 12.5], "SeriesInstanceUID": "1.2"}
    write_slice(tmp_path / "odd.dcm", VOLUME[:2, :, 0], position)
    assert "expected the same rows and columns in a series" in _problem(tmp_path)


def test_radiographs_are_one_plane_each(tmp_path: Path) -> None:
    for name in "ab":
        elements = {
            "Modality": "DX",
            "ImagePositionPatient": None,
            "ImageOrientationPatient": None,
            "RescaleIntercept": None,
            "PhotometricInterpretation": "MONOCHROME1",
        }
        write_slice(tmp_path / f"{name}.dcm", VOLUME[:, :, 0], elements)
    items = find_items((tmp_path,), Way()).items
    assert [item.key for item in items] == ["a", "b"]
    found = items[0].read()
    np.testing.assert_array_equal(found.array, VOLUME[:, :, 0])
    assert (found.axes, found.affine, found.spacing_mm) == (2, None, (0.5, 0.75))
    assert "MONOCHROME1" in found.notes[0]


def test_files_without_an_ending_are_known_by_their_content(tmp_path: Path) -> None:
    write_series(tmp_path / "scan", VOLUME)
    for path in (tmp_path / "scan").iterdir():
        path.rename(path.with_name(f"1.2.840.{path.stem}"))
    (tmp_path / "scan" / "readme").write_text("x")
    found = find_items((tmp_path,), Way())
    assert [item.key for item in found.items] == ["scan"]
    assert [path.name for path in found.ignored] == ["readme"]
    assert found.items[0].read().array.shape == VOLUME.shape


def test_damaged_files_are_errors_of_ours(tmp_path: Path) -> None:
    write_slice(tmp_path / "a.dcm", VOLUME[:, :, 0], {"ImagePositionPatient": [0, 0, 0]})
    content = (tmp_path / "a.dcm").read_bytes()
    random = np.random.default_rng(1)
    refused = 0
    for length in (*range(0, len(content), 40), *[0] * 40):
        broken = bytearray(content[:length] if length else content)
        if not length:
            for place in random.integers(132, len(content), size=6):
                broken[place] ^= 0xFF
        (tmp_path / "a.dcm").write_bytes(broken)
        try:
            _read(tmp_path)
        except UnusableDataset:
            refused += 1
    assert refused > 20


def test_nothing_of_the_patient_gets_into_what_is_stored(tmp_path: Path) -> None:
    write_series(tmp_path, VOLUME)
    found = _read(tmp_path)
    assert found.patient == "SECRET-7"
    assert set(found.attributes()) == {"spacing_mm", "affine", "frame"}


def test_the_plain_axial_directions_are_those_of_the_tests() -> None:
    assert AXIAL == (1, 0, 0, 0, 1, 0)
