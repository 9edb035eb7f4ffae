"""Annotations as the loss takes them."""

import json
from typing import Any

import numpy as np
import pytest

from dlae_core.data.targets import class_weights, labels, one_hot
from tests.reference import reference_path


def _golden(key: str) -> Any:
    return np.load(reference_path("golden", "data.npz"))[f"to_categorical/{key}"]


def test_label_maps_are_encoded_as_by_the_original() -> None:
    stored = _golden("img_nochan/in")
    ours = one_hot(labels(stored, 2), 4)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, _golden("img_nochan/out"))


def test_one_hot_has_a_one_at_the_class() -> None:
    numbers = np.array([[0, 2], [1, 2]], np.uint8)
    encoded = one_hot(numbers, 3)
    assert encoded.shape == (2, 2, 3)
    np.testing.assert_array_equal(encoded.argmax(-1), numbers)
    np.testing.assert_array_equal(encoded.sum(-1), 1)


@pytest.mark.parametrize("case", ["fcn2d_categories3", "fcn2d_categories4", "cnn2d_categories3"])
def test_class_weights_are_those_of_the_original(case: str) -> None:
    known = json.loads(reference_path("golden", "data.json").read_text())["class_weights"]
    row = known[f"{case}_augFalse"]  # with augmentation on the original counts warped labels
    numbers = np.repeat(np.arange(len(row["counts_true"])), row["counts_true"])
    expected = [weight if np.isfinite(weight) else 0 for weight in row["weights"]]  # F2
    np.testing.assert_allclose(class_weights([numbers], len(row["counts_true"])), expected)


def test_class_weights_count_over_all_maps() -> None:
    maps = [np.zeros((9, 10), np.int32), np.ones(10, np.int32)]
    np.testing.assert_allclose(class_weights(maps, 2), [0.555556, 5.0], rtol=1e-6)
