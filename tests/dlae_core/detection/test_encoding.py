"""Targets of detectors: DLAE 1.0's, the specification's numbers, and back to the boxes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae_core.detection.decoding import Decoder
from dlae_core.detection.encoding import Encoder
from tests.dlae_core.detection.settings import (
    FORMS,
    PER_HOOK,
    detector_options,
    golden_arrays,
    golden_options,
    golden_texts,
    image_of,
    random_rows,
)

IMAGE = (64, 64)
MAPS = [(8, 10), (4, 5), (2, 2)]


def specified_options(**more: Any) -> Any:
    """Returns the options of the specification's appendix B.4."""
    return detector_options(
        scaling_type=PER_HOOK,
        scales=[0.2, 0.4],
        aspect_ratios=[1.0, 2.0, 0.5],
        variances=[0.1, 0.1, 0.2, 0.2],
        normalize_coordinates_switch=True,
        positive_iou_threshold=0.5,
        negative_iou_limit=0.3,
        number_classes=2,
        **more,
    )


def test_targets_are_those_of_1_0() -> None:
    arrays, texts = golden_arrays(), golden_texts()
    for key in texts["encodings"]:
        _, name, how = key.split("/")
        matching, positive, negative = how.split("_")
        case, golden = texts["anchor_configs"][name], arrays[f"{key}/y_encoded"]
        options = golden_options(case)
        # Without a second round of matching no anchor reaches its threshold.
        options.positive_iou_threshold = float(positive[1:]) if matching == "multi" else 2.0
        options.negative_iou_limit = float(negative[1:])
        # Its anchors, which are clipped one pixel short (X11).
        encoder = Encoder(options, image_of(case), golden[3, :, -8:-4])
        images = [arrays[f"encode/{name}/gt{number}"] for number in range(4)]
        found = encoder.targets(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, golden, rtol=1e-6, atol=1e-6, err_msg=key)


def test_targets_of_the_specification() -> None:
    boxes = np.array([(1, 10, 10, 24, 24), (2, 40, 40, 60, 50)])
    found = Encoder.of_network(specified_options(), IMAGE, [(2, 2)]).target(boxes)
    classes = np.zeros((12, 3))
    classes[:3, 1] = classes[10, 2] = classes[3:9, 0] = 1
    np.testing.assert_array_equal(found[:, :3], classes)
    offsets = np.zeros((12, 4))
    offsets[0] = 0.781250, 0.781250, 0.448061, 0.448061
    offsets[1] = 0.552427, 1.104854, -1.284807, 2.180929
    offsets[2] = 1.104854, 0.552427, 2.180929, -1.284807
    offsets[10] = 1.104854, -3.314563, 0.498568, 0.498568
    np.testing.assert_allclose(found[:, 3:7], offsets, atol=1e-6)
    np.testing.assert_allclose(found[0, 7:11], (0.25, 0.25, 0.2, 0.2), atol=1e-6)
    np.testing.assert_allclose(found[:, 11:], np.tile([0.1, 0.1, 0.2, 0.2], (12, 1)), rtol=1e-6)


def test_an_image_without_boxes_is_all_background() -> None:
    encoder = Encoder.of_network(specified_options(), IMAGE, [(2, 2)])
    found = encoder.target(np.empty((0, 5)))
    np.testing.assert_array_equal(found[:, :7], np.tile([1.0, 0, 0, 0, 0, 0, 0], (12, 1)))


def test_targets_of_a_batch_are_those_of_its_images() -> None:
    random = np.random.default_rng(0)
    encoder = Encoder.of_network(specified_options(), IMAGE, [(4, 4)])
    images = [random_rows(random, count, IMAGE, 2) for count in (3, 0, 7)]
    found = encoder.targets(images)
    for boxes, rows in zip(images, found, strict=True):
        np.testing.assert_array_equal(encoder.target(boxes), rows)
    assert encoder.targets([]).shape == (0, *found.shape[1:])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("normalized", [False, True])
@given(seed=st.integers(0, 2**32), count=st.integers(1, 8), clipped=st.booleans())
@settings(max_examples=25, deadline=None)
def test_every_matched_anchor_decodes_to_its_box(
    form: str, normalized: bool, seed: int, count: int, clipped: bool
) -> None:
    image = (48, 80)
    options = detector_options(
        coordinates_type=form,
        normalize_coordinates_switch=normalized,
        clip_boxes_switch=clipped,
        number_classes=3,
        iou_threshold=1.0,
        confidence_threshold=0.5,
        top_k=0,
    )
    boxes = random_rows(np.random.default_rng(seed), count, image, 3)
    target = Encoder.of_network(options, image, MAPS).target(boxes)
    found = Decoder.from_options(options, image).boxes(target)
    distances = np.abs(found[:, np.newaxis, [0, 2, 3, 4, 5]] - boxes).max(axis=2)
    assert len(found) == (target[:, 1:4] == 1).any(axis=1).sum()
    assert distances.min(axis=1).max() < 1e-3, "a row that is no box"
    assert distances.min(axis=0).max() < 1e-3, "a box without a row"
