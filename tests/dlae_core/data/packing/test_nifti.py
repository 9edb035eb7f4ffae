"""NIfTI files: numbers, spacing, orientation, and what is refused."""

import importlib.util
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from dlae_core.data.packing.nifti import read_nifti
from dlae_core.errors import UnusableDataset
from tests.dlae_core.data.packing.files import write_nifti

VOLUME = np.random.default_rng(3).integers(-99, 99, (4, 3, 5), np.int16)
AFFINE = np.array([[0.0, -3, 0, 10], [2, 0, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])


def test_a_volume_keeps_type_axes_and_orientation(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", VOLUME, AFFINE)
    found = read_nifti(tmp_path / "a.nii.gz")
    assert found.array.dtype == np.int16
    np.testing.assert_array_equal(found.array, VOLUME)
    np.testing.assert_array_equal(found.affine, AFFINE)
    assert (found.frame, found.spacing_mm, found.orientation()) == ("RAS", (2, 3, 4), "ALS")


def test_a_file_without_orientation_gets_none(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", VOLUME, None)
    found = read_nifti(tmp_path / "a.nii")
    assert (found.affine, found.frame, found.orientation()) == (None, "", "")
    assert found.spacing_mm == (1, 1, 1)


def test_units_are_turned_into_mm(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOLUME, np.diag([2.0, 2, 2, 1]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(read_nifti(tmp_path / "a.nii").spacing_mm, [0.002] * 3)


def test_scaled_numbers_are_whole_where_they_can_be(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", VOLUME, AFFINE, slope=(2, 1))
    found = read_nifti(tmp_path / "a.nii").array
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, VOLUME * 2 + 1)
    write_nifti(tmp_path / "b.nii", VOLUME / 4, AFFINE)
    assert read_nifti(tmp_path / "b.nii").array.dtype == np.float32


def test_axes_of_length_1_are_none(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", VOLUME[..., np.newaxis, np.newaxis], AFFINE)
    assert read_nifti(tmp_path / "a.nii").array.shape == (4, 3, 5)
    write_nifti(tmp_path / "b.nii", VOLUME[..., :1], AFFINE)
    found = read_nifti(tmp_path / "b.nii")
    assert (found.array.shape, found.axes, found.spacing_mm) == ((4, 3), 2, (2, 3))


def test_a_fourth_axis_is_refused_unless_it_holds_channels(tmp_path: Path) -> None:
    four = np.stack([VOLUME, VOLUME + 1], axis=-1)
    write_nifti(tmp_path / "a.nii", four, AFFINE)
    with pytest.raises(UnusableDataset, match=r"volume of 3 axes, got 4 x 3 x 5 x 2; --channels"):
        read_nifti(tmp_path / "a.nii")
    found = read_nifti(tmp_path / "a.nii", channels=True)
    np.testing.assert_array_equal(found.array, four)
    assert found.axes == 3


def test_a_matrix_that_folds_space_is_refused(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", VOLUME, AFFINE)
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[280:328] = bytes(48)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(UnusableDataset, match="expected an orientation"):
        read_nifti(tmp_path / "a.nii")


def test_colours_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((4, 3, 5), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    write_nifti(tmp_path / "a.nii", colours, AFFINE)
    with pytest.raises(UnusableDataset, match="expected numbers"):
        read_nifti(tmp_path / "a.nii")


def test_damaged_files_are_errors_of_ours(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for name in ("a.nii", "a.nii.gz"):
        write_nifti(tmp_path / name, VOLUME, AFFINE)
        content = (tmp_path / name).read_bytes()
        refused = 0
        for turn in range(60):
            broken = bytearray(content)
            for place in random.integers(min(len(content), 352), size=4):
                broken[place] ^= 0xFF
            (tmp_path / name).write_bytes(broken if turn % 2 else content[: len(content) // 2])
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    read_nifti(tmp_path / name)
            except UnusableDataset:
                refused += 1
        assert refused > 30


def test_the_brain_of_the_examples_is_read_as_it_is() -> None:
    found = importlib.util.find_spec("nilearn")
    if found is None or found.origin is None:
        pytest.skip("the brain comes with nilearn, which is not installed")
    folder = Path(found.origin).parent / "datasets" / "data"
    path = folder / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    brain = read_nifti(path)
    np.testing.assert_array_equal(brain.array, np.asarray(nibabel.load(path).dataobj))
    assert (brain.orientation(), brain.spacing_mm) == ("RAS", (1, 1, 1))
