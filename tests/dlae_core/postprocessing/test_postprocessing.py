"""Labels, and labels cleaned of specks and holes."""

import numpy as np

from dlae_core.postprocessing.components import filled_holes, largest_components
from dlae_core.postprocessing.labels import labels_of

SPECKS = np.uint8(
    [
        [1, 1, 0, 2, 0],
        [1, 0, 1, 0, 2],
        [0, 0, 0, 2, 2],
        [1, 1, 0, 0, 0],
    ]
)
RINGS = np.uint8(
    [
        [1, 1, 1, 0, 0],
        [1, 0, 1, 0, 2],
        [1, 1, 1, 2, 0],
        [0, 3, 3, 3, 2],
        [0, 3, 1, 3, 0],
        [0, 3, 3, 3, 0],
    ]
)


def test_labels_are_the_most_probable_classes() -> None:
    output = np.float32([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    assert labels_of(output).tolist() == [1, 0]
    assert labels_of(output).dtype == np.uint8
    assert labels_of(np.zeros((2, 300), np.float32)).dtype == np.uint16


def test_a_threshold_decides_between_background_and_the_rest() -> None:
    output = np.float32([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.3, 0.35, 0.35]])
    assert labels_of(output, 0.3).tolist() == [1, 2, 1]
    assert labels_of(output, 0.4).tolist() == [1, 0, 0]
    assert labels_of(np.float32([[0.4], [0.7]]), 0.5).tolist() == [0, 1]


def test_the_largest_component_of_each_class_is_kept() -> None:
    expected = SPECKS.copy()
    expected[1, 2] = expected[3, :2] = expected[0, 3] = 0
    assert largest_components(SPECKS).tolist() == expected.tolist()


def test_components_touch_through_faces_in_volumes_too() -> None:
    volume = np.zeros((3, 3, 3), np.uint16)
    volume[0, 0, 0] = 1
    volume[1:, 1, 1] = 1
    expected = volume.copy()
    expected[0, 0, 0] = 0
    assert (largest_components(volume) == expected).all()
    assert largest_components(volume).dtype == np.uint16


def test_holes_are_filled_where_they_are_background_and_enclosed() -> None:
    expected = RINGS.copy()
    expected[1, 1] = 1
    found = filled_holes(RINGS)
    assert found.tolist() == expected.tolist()
    assert RINGS[1, 1] == 0


def test_labels_without_classes_stay() -> None:
    nothing = np.zeros((4, 4), np.uint8)
    assert not largest_components(nothing).any()
    assert not filled_holes(nothing).any()
