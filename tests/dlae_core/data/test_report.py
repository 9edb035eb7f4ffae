"""The report on a data set."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.expectation import expectation_from_config
from dlae_core.data.inspection import Expectation
from dlae_core.data.report import Report, problems_of_opening, report_on
from dlae_core.data.source import PairedFiles, write_samples
from tests.dlae_core.config.examples import sections

RANDOM = np.random.default_rng(4)
IMAGES = [RANDOM.integers(0, 500, (8, 6, 2), np.uint16) for _ in range(5)]
MAPS = [(image[..., 0] > 100).astype(np.uint8) * 2 for image in IMAGES]


def _report(
    folder: Path, images: list[Any], annotations: list[Any], expected: Expectation | None = None
) -> Report:
    for name, arrays in (("X", images), ("y", annotations)):
        samples = [(str(place), np.asarray(array)) for place, array in enumerate(arrays)]
        write_samples(folder / f"{name}.h5", samples)
    with PairedFiles(folder / "X.h5", folder / "y.h5") as pairs:
        return report_on(pairs, expected)


def test_intensities_are_told_by_channel(tmp_path: Path) -> None:
    report = _report(tmp_path, IMAGES, MAPS)
    pixels = np.stack(IMAGES).astype(np.float64)
    assert report.images.forms == {((8, 6, 2), "uint16"): 5}
    assert len(report.channels.components) == 2
    for place, channel in enumerate(report.channels.components):
        expected = pixels[..., place]
        assert (channel.minimum, channel.maximum) == (expected.min(), expected.max())
        assert channel.mean == pytest.approx(expected.mean())
        assert channel.deviation == pytest.approx(expected.std())
        assert channel.histogram.counts.sum() == expected.size


def test_classes_of_maps_are_counted_by_pixel_and_image(tmp_path: Path) -> None:
    report = _report(tmp_path, [*IMAGES, IMAGES[0]], [*MAPS, MAPS[0] * 0])
    numbers = np.stack([*MAPS, MAPS[0] * 0])
    assert report.meaning == "map"
    assert report.labels.counts == {0: (numbers == 0).sum(), 2: (numbers == 2).sum()}
    assert report.labels.samples == {0: 6, 2: 5}
    assert "the maps hold the numbers 0, 2; if they are classes" in report.warnings[0]


def test_numbers_of_images_are_classes_and_values(tmp_path: Path) -> None:
    report = _report(tmp_path, IMAGES, [0, 1, [1], 3, 1])
    assert (report.meaning, report.problems) == ("number", [])
    assert report.labels.counts == {0: 1, 1: 3, 3: 1}
    assert report.values.components[0].mean == pytest.approx(1.2)
    assert not _report(tmp_path, IMAGES, [0, 1, 0.5, 3, 1]).labels.counts


def test_ranges_of_targets_are_told_by_component(tmp_path: Path) -> None:
    values = RANDOM.normal(size=(5, 3))
    report = _report(tmp_path, IMAGES, list(values[:, np.newaxis]))
    assert report.meaning == "values"
    for place, component in enumerate(report.values.components):
        assert component.minimum == values[:, place].min()
        assert component.deviation == pytest.approx(values[:, place].std())


def test_boxes_are_counted_by_image_and_class(tmp_path: Path) -> None:
    boxes = [
        np.zeros((0, 5)),
        [1, 0, 0, 2, 3],
        [[1, 0, 0, 2, 3], [2, 1, 1, 5, 8]],
        [[2, 0, 1, 6, 2]],
        np.zeros((0, 5)),
    ]
    report = _report(tmp_path, IMAGES, boxes)
    assert report.meaning == "boxes"
    assert (report.boxes.empty, report.boxes.classes) == (2, {1: 2, 2: 2})
    assert report.boxes.per_image is not None
    assert report.boxes.widths is not None
    assert report.boxes.per_image.histogram.counts.tolist() == [2, 2, 1]
    assert (report.boxes.widths.minimum, report.boxes.widths.maximum) == (2, 6)
    assert report.warnings == []


def test_odd_boxes_are_doubted_where_no_network_is_known(tmp_path: Path) -> None:
    report = _report(tmp_path, IMAGES[:2], [[[0, 0, 0, 2, 3]], [[1, 0, 0, 9, 3], [1, 0, 0, 2, 1]]])
    assert (report.meaning, report.problems) == ("boxes", [])
    assert "objects are numbered from 1" in report.warnings[0]
    assert "dataset '1': expected boxes inside the image of 8 rows" in report.warnings[1]


def test_five_numbers_that_make_no_box_are_values(tmp_path: Path) -> None:
    assert _report(tmp_path, IMAGES[:1], [[0.5, 3, 2, 1, 0]]).meaning == "values"
    assert _report(tmp_path, IMAGES[:1], [[1, 0, 0, 2, 3]]).meaning == "boxes"


@pytest.mark.parametrize(
    ("image", "annotation", "channels"),
    [
        ((8, 6), (8, 6), 1),
        ((8, 6, 7), (8, 6, 7), 1),
        ((8, 6, 7), (8, 6), 7),
        ((8, 6, 9), (), 1),
        ((8, 6, 3), (), 3),
        ((8, 6, 9, 2), (8, 6, 9), 2),
    ],
)
def test_the_annotation_tells_slices_from_channels(
    tmp_path: Path, image: tuple[int, ...], annotation: tuple[int, ...], channels: int
) -> None:
    report = _report(tmp_path, [np.ones(image)], [np.ones(annotation)])
    assert len(report.channels.components) == channels


def test_what_is_odd_about_images_is_a_warning(tmp_path: Path) -> None:
    flat, other = np.full((8, 6, 2), 3, np.uint16), np.ones((4, 4), np.float32)
    report = _report(tmp_path, [*IMAGES, flat, other], [*range(5), 5, [1.0, 2]])
    assert report.warnings == [
        "X.h5: the images have 2 shapes; a network takes images of one shape",
        "y.h5: the annotations are of different kinds: 6 one number per image and 1 several "
        "values per image",
        "X.h5: the images are of different types (float32, uint16)",
        "X.h5: 2 images have one intensity everywhere (5, 6)",
    ]


def test_a_network_makes_problems_of_what_it_does_not_expect(tmp_path: Path) -> None:
    expected = Expectation((8, 6, 2), (8, 6), 4)
    report = _report(
        tmp_path, [*IMAGES[:2], IMAGES[0].T], [MAPS[0], MAPS[1] + 3, MAPS[2]], expected
    )
    assert [text.split("; ")[0] for text in report.problems] == [
        "y.h5: dataset '1': expected class numbers from 0 to 3, found 5",
        "X.h5: dataset '2': expected an image of shape (8, 6, 2), got (2, 6, 8)",
    ]
    assert report.warnings == ["y.h5: no sample shows class 1"]


def test_the_report_is_json(tmp_path: Path) -> None:
    boxes = [np.zeros((0, 5))] * 5
    for annotations in (MAPS, [0, 1, 2, 3, 4], boxes, [[1.5, 2]] * 5):
        told = json.loads(json.dumps(_report(tmp_path, IMAGES, annotations).to_json()))
        assert told["valid"] is True
        assert told["images"]["forms"] == [{"shape": [8, 6, 2], "dtype": "uint16", "count": 5}]
        assert sum(told["images"]["channels"][0]["histogram"]["counts"]) == 5 * 48


def test_both_files_are_looked_at_before_they_are_paired(tmp_path: Path) -> None:
    (tmp_path / "X.h5").write_bytes(b"no HDF5")
    found = problems_of_opening(tmp_path / "X.h5", tmp_path / "y.h5")
    assert [text.split(":")[0] for text in found] == ["X.h5", "y.h5"]
    write_samples(tmp_path / "X.h5", [("0", IMAGES[0]), ("1", IMAGES[0])])
    write_samples(tmp_path / "y.h5", [("1", MAPS[0])])
    (found,) = problems_of_opening(tmp_path / "X.h5", tmp_path / "y.h5")
    assert "do not pair: 1 of 2 images have no annotation" in found


def test_damaged_files_are_reported_on_and_nothing_is_raised(tmp_path: Path) -> None:
    _report(tmp_path, IMAGES, MAPS)
    random = np.random.default_rng(7)
    content = {name: (tmp_path / name).read_bytes() for name in ("X.h5", "y.h5")}
    refused = read = 0
    for turn in range(120):
        name = ("X.h5", "y.h5")[turn % 2]
        broken = bytearray(content[name])
        for place in random.integers(len(broken), size=3):
            broken[place] ^= 0xFF
        (tmp_path / name).write_bytes(
            broken[: random.integers(len(broken))] if turn > 99 else broken
        )
        if problems_of_opening(tmp_path / "X.h5", tmp_path / "y.h5"):
            refused += 1
            continue
        with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
            for expected in (None, Expectation((8, 6, 2), (8, 6), 3)):
                json.dumps(report_on(pairs, expected).to_json())
        read += 1
    assert refused > 20
    assert read > 20


def _expectation(annotation: tuple[int, ...], **changes: Any) -> Expectation:
    return expectation_from_config(load_config(json.dumps(sections(**changes))).config, annotation)


VALUES = {
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
}


def test_a_configuration_says_what_it_expects() -> None:
    assert _expectation((8, 8)) == Expectation((8, 8, 1), (8, 8), 3)
    sparse = {
        "loss_function__loss": "sparse_categorical_crossentropy",
        "preprocessing__categorical_switch": False,
        "preprocessing__categories": 2,
    }
    assert _expectation((8, 8), **sparse) == Expectation((8, 8, 1), (8, 8), 3)
    assert _expectation((8, 8), **VALUES) == Expectation((8, 8, 1), (8, 8, 3), 0)


def test_repeated_channels_are_not_stored() -> None:
    layers = ["Input:(8, 8, 6)", "Convolution 2D:3:(1, 1)", "Activation:softmax"]
    changes = {
        "layers__serial_layer_list": layers,
        "preprocessing__repeat_X_switch": True,
        "preprocessing__repeat_X_quantity": 3,
    }
    assert _expectation((8, 8), **changes).image_shape == (8, 8, 2)


def test_a_classifier_expects_one_number_and_a_regression_a_vector() -> None:
    layers = ["Input:(8, 8, 1)", "Flatten", "Dense:3", "Activation:softmax"]
    changes = {"config_file__model_signal": "CNN", "layers__serial_layer_list": layers}
    assert _expectation((), **changes) == Expectation((8, 8, 1), (), 3)
    assert _expectation((3,), **changes, **VALUES) == Expectation((8, 8, 1), (3,), 0)
