"""Outputs of detectors as boxes: DLAE 1.0's, limits, and outputs that make no sense."""

from typing import Any

import numpy as np

from dlae_core.detection.decoding import Decoder
from dlae_core.detection.encoding import Encoder
from tests.dlae_core.detection.settings import (
    detector_options,
    golden_arrays,
    golden_options,
    golden_texts,
    image_of,
)
from tests.dlae_core.detection.test_encoding import specified_options

IMAGE = (64, 64)


def decoder(**settings: Any) -> Decoder:
    return Decoder.from_options(detector_options(**settings), IMAGE)


def output_of(boxes: Any, probabilities: Any) -> np.ndarray:
    """Returns an output that says some centroids, in pixels, with the probabilities of classes."""
    anchors, classes = np.array(boxes, np.float32), np.array(probabilities, np.float32)
    background = 1 - classes.sum(axis=1, keepdims=True)
    columns = [background, classes, np.zeros_like(anchors), anchors, np.ones_like(anchors)]
    return np.concatenate(columns, axis=1)


def by_class(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort((-rows[:, 1], rows[:, 0]))]


def test_boxes_are_those_of_1_0() -> None:
    arrays, texts = golden_arrays(), golden_texts()
    for key, case in texts["decodings"].items():
        name = key.split("/")[1]
        options = golden_options(
            texts["anchor_configs"][name],
            confidence_threshold=case["confidence_thresh"],
            iou_threshold=case["iou_threshold"],
            top_k=0 if case["top_k"] == "all" else case["top_k"],
            nms_maximum_output=5000,
        )
        for number, output in enumerate(arrays[f"decode/{name}/y_pred"]):
            found = Decoder.from_options(options, image_of(case)).boxes(output)
            golden = arrays[f"{key}/item{number}"]
            np.testing.assert_allclose(by_class(found), by_class(golden), rtol=0, atol=1e-4)
            assert (np.diff(found[:, 1]) <= 0).all()


def test_the_target_of_the_specification_gives_its_boxes() -> None:
    options = specified_options()
    boxes = np.array([(1, 10, 10, 24, 24), (2, 40, 40, 60, 50)])
    target = Encoder.of_network(options, IMAGE, [(2, 2)]).target(boxes)
    found = Decoder.from_options(options, IMAGE).boxes(target)
    expected = [(1, 1, 10, 10, 24, 24), (2, 1, 40, 40, 60, 50)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_boxes_are_more_probable_than_the_threshold_and_the_most_probable_comes_first() -> None:
    boxes = [(10, 10, 4, 4), (30, 10, 4, 4), (50, 10, 4, 4)]
    output = output_of(boxes, [(0.25, 0.0), (0.375, 0.5), (0.0, 0.26)])
    found = decoder(number_classes=2, confidence_threshold=0.25).boxes(output)
    np.testing.assert_allclose(
        found,
        [
            (2, 0.5, 28, 8, 32, 12),
            (1, 0.375, 28, 8, 32, 12),
            (2, 0.26, 48, 8, 52, 12),
        ],
        atol=1e-6,
    )


def test_each_class_has_a_limit_and_so_have_all_together() -> None:
    boxes = [(10 * number, 10, 4, 4) for number in range(1, 6)]
    output = output_of(boxes, [(0.9, 0.0), (0.8, 0.0), (0.7, 0.0), (0.0, 0.6), (0.0, 0.5)])
    found = decoder(number_classes=2, nms_maximum_output=2).boxes(output)
    np.testing.assert_allclose(found[:, 1], (0.9, 0.8, 0.6, 0.5))
    found = decoder(number_classes=2, nms_maximum_output=2, top_k=3).boxes(output)
    np.testing.assert_allclose(found[:, 1], (0.9, 0.8, 0.6))


def test_an_object_behind_thousands_of_hidden_candidates_is_found() -> None:
    boxes = [(20, 20, 8, 8)] * 3000 + [(50, 50, 8, 8)]
    output = output_of(boxes, [(0.9,)] * 3000 + [(0.2,)])
    np.testing.assert_allclose(decoder().boxes(output)[:, 1], (0.9, 0.2))


def test_thousands_of_candidates_are_cut_to_the_most_probable() -> None:
    probabilities = np.random.default_rng(0).permutation(np.linspace(0.2, 0.9, 5000))
    boxes = [(8 * (number % 100), 8 * (number // 100), 4, 4) for number in range(5000)]
    output = output_of(boxes, probabilities[:, np.newaxis])
    falling = np.sort(output[:, 1])[::-1]
    np.testing.assert_array_equal(decoder(top_k=200).boxes(output)[:, 1], falling[:200])
    found = decoder(top_k=4500, nms_maximum_output=4600).boxes(output)
    np.testing.assert_array_equal(found[:, 1], falling[:4500])
    found = decoder(top_k=0, nms_maximum_output=4600).boxes(output)
    np.testing.assert_array_equal(found[:, 1], falling[:4600])


def test_nothing_found_is_no_rows() -> None:
    found = decoder().boxes(output_of([(10, 10, 4, 4)], [(0.05,)]))
    assert found.shape == (0, 6)
    assert found.dtype == np.float32


def test_what_a_diverged_network_says_is_not_reported() -> None:
    boxes = [(10 * number, 10, 4, 4) for number in range(1, 6)]
    output = output_of(boxes, [(0.9,), (0.9,), (np.nan,), (0.9,), (0.9,)])
    output[1, -12], output[4, -11] = np.nan, np.inf
    assert decoder().boxes(output)[:, 2].tolist() == [8, 38]


def test_a_box_with_its_edges_exchanged_is_none() -> None:
    output = output_of([(10, 10, 4, 14), (10, 10, 14, 14)], [(0.9,), (0.9,)])
    found = decoder(coordinates_type="corners").boxes(output)
    assert found[:, 2:].tolist() == [[10, 10, 14, 14]]
