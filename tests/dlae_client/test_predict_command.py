"""`dlae-client predict`: files of every format, options, figures."""

import csv
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from matplotlib.image import imread

from dlae.v1 import prediction_pb2 as pb
from dlae_client import Asked, Client
from dlae_client.cli.predict import nifti
from dlae_client.errors import InvalidRequest
from dlae_core.data.source import SampleFile, write_samples
from tests.dlae_client.conftest import Run
from tests.dlae_client.fakes import DESCRIPTION, SHA256, FakeServer

AFFINE = np.array([[-2.0, 0, 0, 9], [0, 3, 0, 8], [0, 0, 4, 7], [0, 0, 0, 1]])


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(-9, 90, shape).astype(np.int16)


@pytest.mark.parametrize(
    ("shape", "sent"),
    [
        ((8, 8, 1), [(1, 8, 8, 1)]),
        ((8, 8), [(1, 8, 8)]),
        ((5, 8, 8), [(5, 8, 8)]),
        ((5, 8, 8, 1), [(5, 8, 8, 1)]),
    ],
)
def test_an_array_is_an_image_or_a_batch(
    run: Run, server: FakeServer, tmp_path: Path, shape: tuple[int, ...], sent: list[Any]
) -> None:
    images = _images(*shape)
    np.save(tmp_path / "scan.npy", images)
    done = run("predict", "tissue", tmp_path / "scan.npy", "-o", tmp_path / "found.npy")
    assert done.code == 0, done.err
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), 2 * images)
    assert [shape for _, _, shape in server.prediction.calls] == sent


def test_arrays_of_an_archive_keep_their_names(run: Run, tmp_path: Path) -> None:
    arrays = {"head": _images(8, 8, 1), "feet/left": _images(3, 8, 8, 1)}
    np.savez(tmp_path / "scans.npz", **arrays)
    told = run("predict", "tissue", tmp_path / "scans.npz", "-o", tmp_path / "out", "--json")
    assert told.document["samples"] == 4
    found = np.load(tmp_path / "out" / "scans.npz")
    assert sorted(found.files) == ["feet/left", "head"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], 2 * array)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_slices_of_a_volume_become_a_volume_in_the_same_place(
    run: Run, server: FakeServer, tmp_path: Path, ending: str
) -> None:
    volume = _images(8, 10, 5)
    header = nibabel.Nifti1Header()
    header.set_xyzt_units("mm")
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE, header), tmp_path / f"ct{ending}")
    target = tmp_path / f"labels{ending}"
    done = run("predict", "tissue", tmp_path / f"ct{ending}", "-o", target, "--labels")
    assert done.code == 0, done.err
    found = nibabel.load(target)
    assert found.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(found.affine, AFFINE)
    assert found.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_array_equal(np.asarray(found.dataobj), volume > 0)
    assert server.prediction.calls[0][2] == (5, 8, 10)


def test_scaled_intensities_are_sent_and_values_come_back_unscaled(
    run: Run, tmp_path: Path
) -> None:
    image = nibabel.Nifti1Image(_images(8, 8), AFFINE)
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, tmp_path / "pet.nii")
    stored = nibabel.load(tmp_path / "pet.nii").get_fdata()
    done = run("predict", "tissue", tmp_path / "pet.nii", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    found = np.asarray(nibabel.load(tmp_path / "out" / "pet.nii").dataobj)
    np.testing.assert_allclose(found.reshape(8, 8), 2 * stored, rtol=1e-6)


def test_a_volume_is_one_image_of_a_model_of_volumes(tmp_path: Path) -> None:
    volume = _images(8, 10, 5)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), tmp_path / "ct.nii")
    with nifti.NiftiImages(tmp_path / "ct.nii", (8, 8, 4, 1)) as images:
        assert images.names == ("0",)
        np.testing.assert_array_equal(images.read("0"), volume)
        probabilities = np.zeros((*volume.shape, 3), np.float32)
        images.write(tmp_path / "out.nii", [("0", probabilities)])
    assert nibabel.load(tmp_path / "out.nii").shape == (8, 10, 5, 3)


def test_boxes_of_slices_are_a_table(run: Run, tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(_images(8, 8, 4), AFFINE), tmp_path / "ct.nii.gz")
    with nifti.NiftiImages(tmp_path / "ct.nii.gz", (8, 8, 1)) as images:
        boxes = np.float32([[2, 0.5, 1, 2, 3, 4]])
        outputs = [("0", boxes[:0]), ("1", boxes), ("2", boxes.repeat(2, 0)), ("3", boxes[:0])]
        path = images.write(tmp_path / "found.nii.gz", outputs)
    assert path.name == "found.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["image", *nifti.BOX_COLUMNS]
    assert [row[0] for row in rows[1:]] == ["1", "2", "2"]
    assert list(map(float, rows[1][1:])) == boxes[0].tolist()


def test_folders_are_predicted_with_their_names(run: Run, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    np.save(folder / "a.npy", _images(8, 8, 1))
    nibabel.save(nibabel.Nifti1Image(_images(8, 8), AFFINE), folder / "deep" / "b.nii")
    write_samples(folder / "c.h5", [("3", _images(8, 8, 1)), ("7", _images(8, 8, 1))])
    (folder / "notes.txt").write_text("none")
    (folder / ".hidden.npy").write_bytes(b"")
    told = run("predict", "tissue", folder, "-o", out, "--json")
    assert told.code == 0, told.err
    assert told.document["samples"] == 4
    assert {Path(row["output"]).relative_to(out).as_posix() for row in told.document["files"]} == {
        "a.npy",
        "deep/b.nii",
        "c.h5",
    }
    with SampleFile(out / "c.h5") as file:
        assert file.names == ("3", "7")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["none"], "expected a file or a folder, found nothing"),
        (["in"], "found none"),
        (["in/x/a.npy", "in/y/a.npy"], "expected files of different names"),
    ],
)
def test_inputs_that_cannot_be_told_apart_or_found_are_refused(
    run: Run, tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            np.save(path, _images(8, 8))
        elif name == "in":
            path.mkdir()
    paths = [tmp_path / name for name in names]
    done = run("predict", "tissue", *paths, tmp_path / "in", "-o", tmp_path / "out")
    assert done.code == 1
    assert message in done.err


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.npy", b"no array"), ("a.npz", b"PK"), ("a.nii", b"no volume"), ("a.nii.gz", b"\x1f\x8b")],
)
def test_damaged_files_are_told(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = run("predict", "tissue", tmp_path / name, "-o", tmp_path / "out")
    assert done.code == 1
    assert f"{name}: cannot be read" in done.err


def test_an_array_that_is_no_image_is_told(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(8))
    done = run("predict", "tissue", tmp_path / "a.npy", "-o", tmp_path / "b.npy")
    assert "expected numbers of shape (any, any, 1)" in done.err


def test_options_are_sent_and_what_is_left_out_is_not(
    run: Run, server: FakeServer, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", _images(8, 8))
    line = ["predict", "tissue", tmp_path / "a.npy", "-o", tmp_path / "b.npy"]
    assert run(*line).code == 0
    assert server.prediction.asked[-1] == (0, pb.PredictOptions(), 0)
    given = "--labels --threshold 0.25 --largest --no-fill --overlap 0.75 --blend average --flip 0"
    more = "--flip 1 --at-once 3 --resize --no-units --can-wait"
    assert run(*line, *given.split(), *more.split()).code == 0
    expected = pb.PredictOptions(
        tile_overlap=0.75,
        tile_blend="average",
        flips=pb.FlipAxes(axes=[0, 1]),
        threshold=0.25,
        largest_component_switch=True,
        fill_holes_switch=False,
        images_at_once=3,
        resize_switch=True,
        annotation_units_switch=False,
    )
    assert server.prediction.asked[-1] == (1, expected, pb.PRIORITY_BATCH)
    assert run(*line, "--threshold", "none", "--flip", "none", "--confidence", 0.5).code == 0
    kept = pb.PredictOptions(flips=pb.FlipAxes(), most_probable=True, confidence_threshold=0.5)
    assert server.prediction.asked[-1] == (0, kept, 0)
    assert run(*line, "--threshold", "half").code == 2


def test_what_was_done_is_told_when_asked(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", _images(8, 8))
    line = ["predict", "tissue", tmp_path / "a.npy", "-o", tmp_path / "b.npy", "--describe"]
    text = run(*line).out
    assert f"model  tissue@2  sha256 {SHA256}" in text
    assert "postprocessing  most probable class; holes of each class filled" in text
    told = run(*line, "--json").document
    assert told["model_sha256"] == SHA256
    assert told["description"]["postprocessing"] == list(DESCRIPTION.postprocessing)
    assert told["description"]["output"] == "labels"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--labels", "--boxes", "--raw"])
def test_predictions_are_drawn_over_images(run: Run, tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "a.npy", _images(3, 8, 8, 1))
    figure = tmp_path / "seen.png"
    line = ["predict", "tissue", tmp_path / "a.npy", "-o", tmp_path / "b.npy", kind]
    assert run(*line, "--figure", figure).code == 0
    picture = imread(figure)
    # Classes and boxes have colours, maps of values none.
    coloured = (np.ptp(picture[..., :3], axis=-1) > 0.2).any()
    assert coloured == (kind != "--raw")


def test_boxes_of_a_detector_are_one_dataset_per_image(
    run: Run, server: FakeServer, tmp_path: Path
) -> None:
    server.models.family = "BBD"
    write_samples(tmp_path / "X.h5", [(str(n), _images(8, 8, 1)) for n in range(3)])
    done = run("predict", "tissue", tmp_path / "X.h5", "-o", tmp_path / "P.h5", "--boxes")
    assert done.code == 0, done.err
    with SampleFile(tmp_path / "P.h5") as file:
        assert [file.shape(name) for name in file.names] == [(0, 6), (1, 6), (2, 6)]


def test_boxes_come_without_the_rows_after_them(client: Client) -> None:
    found = client.boxes("tissue", _images(3, 8, 8, 1), {"confidence_threshold": 0.5})
    assert [rows.shape for rows in found] == [(0, 6), (1, 6), (2, 6)]
    reply = client.reply("tissue@2", _images(1, 8, 8, 1), Asked("boxes", describe=True))
    assert (reply.model, reply.sha256) == ("tissue@2", SHA256)
    assert reply.description == DESCRIPTION


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked("voxels"), "INVALID_REQUEST"),
        (Asked(options={"overlap": 1}), "INVALID_OPTIONS"),
        (Asked(options={"tile_overlap": "much"}), "INVALID_OPTIONS"),
        (Asked(options={"flips": ["rows"]}), "INVALID_OPTIONS"),
    ],
)
def test_options_that_do_not_exist_are_refused_here(
    client: Client, asked: Asked, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.reply("tissue", _images(1, 8, 8, 1), asked)
    assert caught.value.reason == reason
