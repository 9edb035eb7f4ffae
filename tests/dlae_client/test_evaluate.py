"""`dlae-client evaluate`: tables, documents, files, pictures, mistakes."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae.v1.models_pb2 import Model
from dlae.v1.prediction_pb2 import OUTPUT_KIND_BOXES, OUTPUT_KIND_LABELS
from dlae_client import Client
from dlae_client.cli.evaluate.work import batches
from dlae_core.data.source import SampleFile, write_samples
from tests.dlae_client.conftest import Outcome, Run
from tests.dlae_client.fakes import FakeServer

RANDOM = np.random.default_rng(7)
PNG = b"\x89PNG\r\n\x1a\n"
TABLES = ["metrics.csv", "summary.csv", "summary.json"]
Arrays = list[np.ndarray]


def write(path: Path, arrays: Arrays, attributes: dict[str, Any] | None = None) -> Path:
    write_samples(path, ((str(i), one, attributes or {}) for i, one in enumerate(arrays)))
    return path


@pytest.fixture
def maps(tmp_path: Path) -> tuple[Path, Path]:
    """Six images; where they are above 0 the fake says 1, of which the annotation lacks a row."""
    images = [RANDOM.normal(size=(8, 9)).astype(np.float32) for _ in range(6)]
    labels = [(image > 0).astype(np.uint8) for image in images]
    for one in labels:
        one[0] = 0
    spacing = {"spacing_mm": np.array([2.0, 2.0]), "patient": "Ann Smith"}
    return write(tmp_path / "X.h5", images), write(tmp_path / "y.h5", labels, spacing)


def lines_of(path: Path) -> list[dict[str, str]]:
    """Returns the lines of a table by the heads of its columns."""
    return list(csv.DictReader(path.read_text().splitlines()))


def measure(told: Outcome, name: str, subject: str = "") -> dict[str, Any]:
    """Returns one measure of a document."""
    rows = told.document["measures"]
    (row,) = [row for row in rows if (row["name"], row["subject"]) == (name, subject)]
    return dict(row)


def test_a_model_is_compared_with_annotations_in_mm(
    run: Run, server: FakeServer, maps: tuple[Path, Path]
) -> None:
    done = run("evaluate", "tissue", *maps, "--draws", 100, "--batch-size", 4)
    assert (done.code, done.out.splitlines()[0]) == (0, "tissue@2: segmentation, 6 samples")
    assert "95 % interval" in done.out.splitlines()[1]
    assert {call[1] for call in server.prediction.calls} == {"tissue@2"}
    assert [call[2] for call in server.prediction.calls] == [(4, 8, 9), (2, 8, 9)]
    told = run("evaluate", "tissue", *maps, "--draws", 100, "--json")
    with SampleFile(maps[0]) as images, SampleFile(maps[1]) as annotations:
        pairs = [(images.read(n) > 0, annotations.read(n) > 0) for n in images.names]
    dice = [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs]
    row = measure(told, "dice", "class 1")
    assert row["value"] == pytest.approx(np.mean(dice))
    assert row["low"] < row["value"] < row["high"]
    assert measure(told, "hd95", "class 1")["unit"] == "mm"
    assert (told.document["task"], told.document["samples"]) == ("segmentation", 6)


@pytest.mark.slow
def test_the_folder_gets_tables_and_figures(
    run: Run, maps: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    told = run("evaluate", "tissue", *maps, "-o", folder, "--draws", 20, "--json")
    figures = ["bland_altman.png", "cases.png", "confusion.png"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*figures, *TABLES])
    assert all((folder / name).read_bytes().startswith(PNG) for name in figures)
    assert json.loads((folder / "summary.json").read_text()) == told.document
    rows = lines_of(folder / "metrics.csv")
    dice = [float(row["dice_class_1"]) for row in rows]
    assert np.mean(dice) == pytest.approx(measure(told, "dice", "class 1")["value"], abs=1e-12)
    assert [row["sample"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    again = run("evaluate", "tissue", *maps, "-o", folder)
    assert again.err == f"error: {folder} is not empty; choose another folder or use --force\n"
    assert run("evaluate", "tissue", *maps, "-o", folder, "--draws", 0, "--force").code == 0


@pytest.mark.slow
def test_groups_are_cases_and_their_names_are_nowhere(
    run: Run, maps: tuple[Path, Path], tmp_path: Path
) -> None:
    table, folder = tmp_path / "groups.csv", tmp_path / "out"
    table.write_text("".join(f"{i},Ann Smith {i // 3}\n" for i in range(6)))
    options = ("--group-by", table, "-o", folder, "--draws", 20)
    done = run("evaluate", "tissue", *maps, *options)
    assert done.out.splitlines()[0] == "tissue@2: segmentation, 6 samples in 2 groups"
    rows = lines_of(folder / "metrics.csv")
    assert [(row["sample"], row["group"]) for row in rows] == [("0 1 2", "0"), ("3 4 5", "1")]
    texts = [(folder / name).read_text() for name in TABLES]
    assert not any("Smith" in text for text in (done.out, done.err, *texts))
    assert (
        run("evaluate", "tissue", *maps, "--group-by", "patient", "--json").document["groups"] == 1
    )


CLASSES = [np.array(kind) for kind in (0, 1, 2, 0, 1, 2)]
PROBABILITIES = list(RANDOM.dirichlet(np.ones(3), 6))
VALUES = list(RANDOM.normal(10, 3, (6, 4)))
IMAGES = [RANDOM.uniform(0, 9, (8, 9, 1)) for _ in range(6)]
BOXES = [np.array([[1.0, 1, 1, 5, 5]])] * 5 + [np.empty((0, 5))]
FOUND = [np.array([[1, 0.9, 1, 1, 5, 6], [1, 0.3, 0, 0, 2, 2]])] * 6
CASES: list[tuple[str, Arrays, Arrays, list[str]]] = [
    (
        "classification",
        PROBABILITIES,
        CLASSES,
        ["cases", "confusion", "precision_recall", "reliability", "roc"],
    ),
    ("regression", VALUES, [row + 1 for row in VALUES], ["bland_altman", "cases"]),
    ("coordinates", VALUES, [row + 1 for row in VALUES], ["bland_altman", "cases"]),
    ("images", IMAGES, [one[..., 0] + 0.5 for one in IMAGES], ["cases"]),
    ("detection", FOUND, BOXES, ["cases", "froc", "precision_recall"]),
]
EXPECTED = {"regression": ("mae", "value 2", 1.0), "coordinates": ("coordinate_error", "", 2**0.5)}
EXPECTED |= {"images": ("mae", "", 0.5), "detection": ("map50", "", 1.0)}


@pytest.mark.slow
@pytest.mark.parametrize(("task", "found", "truth", "figures"), CASES, ids=[c[0] for c in CASES])
def test_files_of_predictions_need_no_server(
    run: Run, tmp_path: Path, task: str, found: Arrays, truth: Arrays, figures: list[str]
) -> None:
    images = write(tmp_path / "X.h5", [RANDOM.normal(size=(8, 9)) for _ in range(6)])
    predictions = write(tmp_path / "P.h5", [np.asarray(one, np.float32) for one in found])
    annotations, folder = write(tmp_path / "y.h5", truth), tmp_path / "out"
    options = ("--task", task, "-o", folder, "--draws", 20, "--server", "127.0.0.1:1", "--json")
    told = run("evaluate", "--predictions", predictions, images, annotations, *options)
    assert (told.code, told.document["source"]) == (0, "P.h5")
    assert told.document["task"] == task
    names = [f"{name}.png" for name in figures]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, *TABLES])
    if task in EXPECTED:
        name, subject, value = EXPECTED[task]
        units = [row for row in told.document["measures"] if row["name"] == name]
        (row,) = [row for row in units if row["subject"] == subject]
        assert row["value"] == pytest.approx(value, rel=1e-6)


@pytest.mark.slow
def test_volumes_and_probabilities_per_voxel_without_images(run: Run, tmp_path: Path) -> None:
    labels = [RANDOM.integers(0, 3, (5, 6, 4)) for _ in range(3)]
    annotations = write(tmp_path / "y.h5", [one.astype(np.uint8) for one in labels])
    scores = [np.eye(3, dtype=np.float32)[one] for one in labels]
    for name, arrays in (("P.h5", scores), ("L.h5", [one.astype(np.uint8) for one in labels])):
        predictions, folder = write(tmp_path / name, arrays), tmp_path / f"out {name}"
        told = run("evaluate", "--predictions", predictions, annotations, "-o", folder, "--json")
        assert measure(told, "dice")["value"] == 1
        assert "cases.png" not in [path.name for path in folder.iterdir()]
    images = write(tmp_path / "X.h5", [RANDOM.normal(size=(5, 6, 4)) for _ in range(3)])
    folder = tmp_path / "drawn"
    done = run("evaluate", "--predictions", predictions, images, annotations, "-o", folder)
    assert done.code == 0
    assert (folder / "cases.png").read_bytes().startswith(PNG)


def test_boxes_of_a_detector_are_asked_for_with_little_confidence(
    run: Run, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config()
    config.config_file.model_signal = "BBD"
    options = config.bbd_options
    options.number_classes, options.confidence_threshold = 1, 0.5
    model = Model(name="tissue", version=1, input_shape=[8, 9, 1], output_shape=[2, 14])
    model.config.CopyFrom(config)
    monkeypatch.setattr(Client, "model", lambda *_: model)
    images = write(tmp_path / "X.h5", [RANDOM.normal(size=(8, 9)) for _ in range(3)])
    box = np.array([[1.0, 1, 2, 5, 6]])
    truth = write(tmp_path / "y.h5", [np.empty((0, 5)), box, box])
    told = run("evaluate", "tissue", images, truth, "--draws", 0, "--json")
    assert (told.document["source"], told.document["task"]) == ("tissue@1", "detection")
    # The fake finds no box, the box, and the box twice.
    assert [measure(told, name)["value"] for name in ("map50", "sensitivity")] == [1, 1]
    options = ("--draws", 0, "--set", "confidence_threshold=0.8", "--json")
    fewer = run("evaluate", "tissue", images, truth, *options)
    assert measure(fewer, "sensitivity")["value"] == 0
    assert measure(fewer, "map50")["value"] == 1
    kinds = {(kind, asked.confidence_threshold) for kind, asked, _ in server.prediction.asked}
    assert kinds == {(OUTPUT_KIND_BOXES, 0.01)}


def test_predictions_are_made_as_options_say(
    run: Run, server: FakeServer, maps: tuple[Path, Path]
) -> None:
    options = ("--set", "threshold=0.4", "--set", "flips=[1]", "--set", "tile_blend=average")
    switches = ("--set", "fill_holes_switch=True", "--draws", 0)
    assert run("evaluate", "tissue", *maps, *options, *switches).code == 0
    ((kind, asked, _),) = server.prediction.asked
    assert (kind, asked.threshold, asked.tile_blend) == (OUTPUT_KIND_LABELS, 0.4, "average")
    assert (list(asked.flips.axes), asked.fill_holes_switch) == ([1], True)
    assert run("evaluate", "tissue", *maps, "--set", "threshold").code == 2
    assert run("evaluate", "tissue", *maps, "--set", "speed=9", "--draws", 0).code == 2


@pytest.mark.slow
def test_numbers_that_json_does_not_know_are_null(run: Run, tmp_path: Path) -> None:
    empty, some = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    annotations = write(tmp_path / "y.h5", [some, empty])
    predictions = write(tmp_path / "P.h5", [empty, empty])
    folder = tmp_path / "out"
    options = ("--predictions", predictions, annotations, "-o", folder)
    told = run("evaluate", *options, "--json")
    row = measure(told, "hd95", "class 1")
    assert (row["value"], row["low"], row["infinite"]) == (None, None, 1)
    first, second = lines_of(folder / "metrics.csv")
    assert (first["hd95_pixels_class_1"], second["hd95_pixels_class_1"]) == ("inf", "")
    done = run("evaluate", *options, "--force")
    assert "infinite" in done.out.splitlines()[1]
    assert "not defined" in done.out
    assert done.err.startswith("note: a class that neither annotation nor prediction")


def test_what_cannot_be_evaluated_is_told(
    run: Run, maps: tuple[Path, Path], tmp_path: Path
) -> None:
    few = write(tmp_path / "few.h5", [np.zeros((8, 9), np.uint8)])
    done = run("evaluate", "tissue", maps[0], few)
    assert (done.code, "do not pair" in done.err) == (3, True)
    wrong = write(tmp_path / "wrong.h5", [np.full((8, 9), 7, np.uint8)] * 6)
    done = run("evaluate", "tissue", maps[0], wrong)
    assert done.code == 3
    assert "wrong.h5: '0': expected classes 0 to 1, got values 7 to 7" in done.err
    odd = write(tmp_path / "odd.h5", [np.zeros((3, 3, 3))] * 6)
    told = run("evaluate", "--predictions", odd, maps[1], "--json")
    assert told.document["error"]["reason"] == "UNKNOWN_TASK"
    assert run("evaluate", "nobody", *maps).code == 4
    lost = run("evaluate", "tissue", *maps, "--group-by", "nothing")
    assert "expected a text or an integer in the attribute 'nothing'" in lost.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("tissue", "X.h5"),
        ("--predictions", "P.h5", "a", "b", "c"),
        ("m", "X", "y", "--task", "images"),
    ],
)
def test_arguments_that_do_not_go_together_are_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("evaluate", *arguments).code == 2


def test_missing_libraries_are_told_before_anything_is_predicted(
    run: Run,
    server: FakeServer,
    maps: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dlae_client.cli.evaluate.options.find_spec", lambda name: None)
    told = run("evaluate", "tissue", *maps, "-o", tmp_path / "out", "--json")
    assert told.document["error"]["reason"] == "MISSING_EXTRA"
    assert server.prediction.calls == []
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    done = run("evaluate", "tissue", *maps)
    assert (done.code, "pip install 'dlae[evaluation]'" in done.err) == (2, True)


def test_batches_are_of_one_form_and_of_few_bytes(tmp_path: Path) -> None:
    arrays = [np.zeros((2, 2))] * 3 + [np.zeros((2, 3))] + [np.zeros((1024, 1024), np.uint8)] * 17
    with SampleFile(write(tmp_path / "X.h5", arrays)) as file:
        found = [len(batch) for batch in batches(file, file.names, 32)]
        assert found == [3, 1, 16, 1]
        assert list(batches(file, ["1", "0", "2"], 2)) == [["1", "0"], ["2"]]
