"""Boxes relative to anchors: formulas by hand, and back again."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlae_core.detection.boxes import from_corners
from dlae_core.detection.offsets import decoded, encoded
from tests.dlae_core.detection.settings import FORMS, random_boxes

ANCHOR = np.array([[10.0, 20, 30, 28]])  # centre (20, 24), 20 x 8
BOX = np.array([[14.0, 20, 24, 36]])  # centre (19, 28), 10 x 16
VARIANCES = (0.1, 0.2, 0.5, 0.25)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("centroids", (-1 / 20 / 0.1, 4 / 8 / 0.2, math.log(0.5) / 0.5, math.log(2) / 0.25)),
        ("corners", (4 / 20 / 0.1, 0, -6 / 20 / 0.5, 8 / 8 / 0.25)),
        ("minmax", (4 / 20 / 0.1, -6 / 20 / 0.2, 0, 8 / 8 / 0.25)),
    ],
)
def test_a_box_is_relative_to_the_sides_of_its_anchor(
    form: str, expected: tuple[float, ...]
) -> None:
    found = encoded(BOX, ANCHOR, np.array(VARIANCES), form)
    np.testing.assert_allclose(found, [expected], rtol=1e-12, atol=1e-15)


def test_an_untrained_network_predicts_no_infinite_boxes() -> None:
    anchors = from_corners(ANCHOR, "centroids")
    offsets = np.array([[0, 0, 1e30, -1e30]], np.float32)
    assert np.isfinite(decoded(offsets, anchors, np.ones(4), "centroids")).all()


@given(seed=st.integers(0, 2**32), form=st.sampled_from(FORMS))
def test_every_form_comes_back_as_the_box(seed: int, form: str) -> None:
    random = np.random.default_rng(seed)
    boxes, anchors = random_boxes(random, 5, (40, 60)), random_boxes(random, 5, (40, 60))
    variances = random.uniform(0.05, 2, (5, 4))
    offsets = encoded(boxes, anchors, variances, form)
    back = decoded(offsets, from_corners(anchors, form), variances, form)
    np.testing.assert_allclose(back, boxes, rtol=1e-9, atol=1e-9)
