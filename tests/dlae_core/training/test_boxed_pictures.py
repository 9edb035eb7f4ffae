"""Pictures of detections: every box has its place and its colour."""

import cv2
import numpy as np
import pytest

from dlae_core.data.pipeline import Batch
from dlae_core.detection.decoding import Decoder
from dlae_core.detection.encoding import Encoder
from dlae_core.training.boxed_pictures import BoxedPictures
from dlae_core.training.pictures import GAP
from tests.dlae_core.detection.settings import detector_options

pytestmark = pytest.mark.keras

IMAGE, MAPS = (48, 32), [(6, 4), (3, 2)]


class _Data:
    """Takes the place of a pipeline of one batch."""

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        self._batch = Batch(images, targets, len(images))

    def batches(self, epoch: int) -> object:
        yield self._batch


def _panels(truth: np.ndarray, found: np.ndarray) -> list[np.ndarray]:
    """Returns image, true and found boxes of one sample whose image is half dark, half bright."""
    options = detector_options(number_classes=2, scales=[0.1, 0.5])
    encoder = Encoder.of_network(options, IMAGE, MAPS)
    image = np.zeros((1, *IMAGE, 1), np.float32)
    image[:, :, 16:] = 1
    data = _Data(image, encoder.targets([truth]))
    decoder = Decoder.from_options(options, IMAGE)
    pictures = BoxedPictures(data, 1, lambda _: encoder.targets([found]), decoder, 2)
    (content,) = pictures.draw()
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 3 * 32 + 2 * GAP, 3)
    return [picture[:, first : first + 32] for first in (0, 32 + GAP, 64 + 2 * GAP)]


def _edge(box: np.ndarray) -> np.ndarray:
    """Returns the outermost pixels inside a box, bool (rows, columns)."""
    edge = np.zeros(IMAGE, bool)
    _, xmin, ymin, xmax, ymax = box.astype(int)
    edge[ymin:ymax, xmin:xmax] = True
    edge[ymin + 1 : ymax - 1, xmin + 1 : xmax - 1] = False
    return edge


def test_true_and_found_boxes_are_drawn_around_what_they_hold_in_colours_of_classes() -> None:
    truth = np.array([[1.0, 4, 6, 14, 20], [2, 18, 22, 28, 40]])
    found = np.array([[2.0, 5, 7, 15, 21]])
    image, wanted, given = _panels(truth, found)
    np.testing.assert_array_equal(image[:, :16], 0)
    np.testing.assert_array_equal(image[:, 16:], 255)
    for panel, boxes in ((wanted, truth), (given, found)):
        np.testing.assert_array_equal((panel != image).any(-1), sum(map(_edge, boxes)))
    first, second = (wanted[_edge(box)] for box in truth)
    assert (first == first[0]).all()
    assert (second == second[0]).all()
    assert (first[0] != second[0]).any()
    np.testing.assert_array_equal(given[_edge(found[0])][0], second[0])


def test_a_box_of_a_diverged_network_does_no_harm() -> None:
    image, _, given = _panels(np.zeros((0, 5)), np.array([[1.0, -1e18, -1e18, 1e18, 1e18]]))
    np.testing.assert_array_equal(given, image)
