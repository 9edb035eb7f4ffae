"""Evaluating predictions in NumPy files, NIfTI files and pictures against annotations in any."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from dlae_core.data.source import write_samples
from tests.dlae_client.conftest import Outcome, Run

RANDOM = np.random.default_rng(11)
TRUTH = [RANDOM.integers(0, 3, (6, 5, 4)).astype(np.uint8) for _ in range(3)]
FOUND = [np.where(RANDOM.random(one.shape) < 0.2, 0, one).astype(np.uint8) for one in TRUTH]
NAMES = ("a/one", "a/two", "b/three")
# Voxels of 2 x 3 x 4 mm, the first axis towards the left.
AFFINE = np.array([[-2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])


def dice(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """Returns the mean Dice coefficient of class 1."""
    pairs = [(one == 1, other == 1) for one, other in zip(found, truth, strict=True)]
    return float(np.mean([2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs]))


def nifti(folder: Path, arrays: Sequence[np.ndarray], affine: Any = AFFINE) -> Path:
    for name, array in zip(NAMES, arrays, strict=True):
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.Nifti1Image(array, affine).to_filename(path)
    return folder


def numpy_stack(path: Path, arrays: Sequence[np.ndarray]) -> Path:
    np.save(path, np.stack(arrays))
    return path


def hdf5(path: Path, arrays: Sequence[np.ndarray]) -> Path:
    write_samples(path, ((str(10 * i), one) for i, one in enumerate(arrays)))
    return path


def evaluated(run: Run, *words: object) -> dict[str, Any]:
    """Returns Dice of class 1, the unit of distances, and the number of samples."""
    told = run("evaluate", "--draws", 0, "--json", "--predictions", *words)
    assert told.code == 0, told.err
    rows = {(row["name"], row["subject"]): row for row in told.document["measures"]}
    return {
        "dice": rows["dice", "class 1"]["value"],
        "unit": rows["hd95", "class 1"]["unit"],
        "samples": told.document["samples"],
        "source": told.document["source"],
    }


def test_folders_of_nifti_pair_by_name_and_tell_millimetres(run: Run, tmp_path: Path) -> None:
    told = evaluated(run, nifti(tmp_path / "P", FOUND), nifti(tmp_path / "y", TRUTH))
    assert told["dice"] == pytest.approx(dice(FOUND, TRUTH))
    assert (told["unit"], told["samples"], told["source"]) == ("mm", 3, "P")


def test_volumes_that_lie_otherwise_are_turned_before_they_are_compared(
    run: Run, tmp_path: Path
) -> None:
    # The same voxels with the first axis reversed and the last two exchanged.
    turned = [one[::-1].transpose(0, 2, 1) for one in FOUND]
    affine = AFFINE[:, [0, 2, 1, 3]].copy()
    affine[:3, 0] *= -1
    affine[:3, 3] += AFFINE[:3, 0] * (FOUND[0].shape[0] - 1)
    told = evaluated(run, nifti(tmp_path / "P", turned, affine), nifti(tmp_path / "y", TRUTH))
    assert told["dice"] == pytest.approx(dice(FOUND, TRUTH))
    shifted = AFFINE + np.outer([1, 0, 0, 0], [0, 0, 0, 7.0])
    other = nifti(tmp_path / "Q", FOUND, shifted)
    done = run("evaluate", "--predictions", other, tmp_path / "y", "--json")
    assert (done.code, done.document["error"]["reason"]) == (3, "UNUSABLE_DATASET")
    assert "Q: 'a/one': its voxels are not those" in done.err


def test_a_stack_pairs_with_the_samples_of_a_file_by_order(run: Run, tmp_path: Path) -> None:
    stack, truth = numpy_stack(tmp_path / "P.npy", FOUND), hdf5(tmp_path / "y.h5", TRUTH)
    told = evaluated(run, stack, truth, "--stacked")
    assert told["dice"] == pytest.approx(dice(FOUND, TRUTH))
    assert (told["unit"], told["samples"], told["source"]) == ("pixels", 3, "P.npy")
    backwards = evaluated(
        run, hdf5(tmp_path / "P.h5", FOUND), numpy_stack(tmp_path / "y.npy", TRUTH), "--stacked"
    )
    assert backwards["dice"] == pytest.approx(told["dice"])
    done = run("evaluate", "--predictions", stack, truth)
    assert (done.code, "got 1 and 3; --stacked" in done.err) == (3, True)


def test_one_file_of_each_is_one_case_whatever_their_names(run: Run, tmp_path: Path) -> None:
    folder = nifti(tmp_path / "P", FOUND)
    np.save(tmp_path / "truth.npy", TRUTH[0])
    told = evaluated(run, folder / "a" / "one.nii.gz", tmp_path / "truth.npy")
    assert (told["dice"], told["samples"]) == (pytest.approx(dice(FOUND[:1], TRUTH[:1])), 1)


def test_files_named_as_samples_pair_with_those_of_a_file(run: Run, tmp_path: Path) -> None:
    truth, folder = hdf5(tmp_path / "y.h5", TRUTH), tmp_path / "P"
    folder.mkdir()
    # Not all samples need a prediction, every prediction needs a sample.
    for at in (2, 0):
        np.save(folder / f"{10 * at}.npy", FOUND[at])
    told = evaluated(run, folder, truth)
    assert told["dice"] == pytest.approx(dice([FOUND[0], FOUND[2]], [TRUTH[0], TRUTH[2]]))
    np.save(folder / "7.npy", FOUND[1])
    done = run("evaluate", "--predictions", folder, truth)
    assert (done.code, "'7' has no annotation of its name" in done.err) == (3, True)


def test_a_model_predicts_images_of_any_format(run: Run, tmp_path: Path) -> None:
    images = [RANDOM.normal(size=(8, 9)).astype(np.float32) for _ in range(4)]
    stack = numpy_stack(tmp_path / "X.npy", images)
    truth = numpy_stack(tmp_path / "y.npy", [(one > 0).astype(np.uint8) for one in images])
    told: Outcome = run("evaluate", "tissue", stack, truth, "--stacked", "--draws", 0, "--json")
    assert (told.code, told.document["source"], told.document["samples"]) == (0, "tissue@2", 4)
    (row,) = [
        row
        for row in told.document["measures"]
        if (row["name"], row["subject"]) == ("dice", "class 1")
    ]
    assert row["value"] == 1.0
