"""The average precision of validation: of boxes as they are predicted, against true ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dlae_core.data.pipeline import Batch
from dlae_core.detection.average_precision import average_precisions
from dlae_core.detection.decoding import Decoder
from dlae_core.detection.encoding import Encoder
from dlae_core.training.judging import AveragePrecision, truth_decoder
from tests.dlae_core.detection.settings import FORMS, detector_options, random_rows

pytestmark = pytest.mark.keras

IMAGE, MAPS = (96, 64), [(12, 8), (6, 4)]
CLASSES = 3


def _options(**changes: Any) -> Any:
    return detector_options(number_classes=CLASSES, scales=[0.1, 0.4], **changes)


def _rows(boxes: np.ndarray) -> np.ndarray:
    return boxes[np.lexsort(boxes.T)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("normalized", [False, True])
def test_the_boxes_of_a_target_are_read_back_from_it(form: str, normalized: bool) -> None:
    options = _options(coordinates_type=form, normalize_coordinates_switch=normalized)
    encoder = Encoder.of_network(options, IMAGE, MAPS)
    decoder = truth_decoder(Decoder.from_options(options, IMAGE))
    random = np.random.default_rng(3)
    for count in (0, 1, 7, 40):
        boxes = random_rows(random, count, IMAGE, CLASSES)
        found = decoder.boxes(encoder.target(boxes))
        assert len(found) == count
        np.testing.assert_allclose(_rows(found[:, [0, 2, 3, 4, 5]]), _rows(boxes), atol=1e-3)


class _Recorded:
    """Takes the place of the steps: gives outputs one after the other."""

    def __init__(self, outputs: list[np.ndarray]) -> None:
        self._outputs: Iterator[np.ndarray] = iter(outputs)

    def evaluate_with_output(
        self, images: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(4), next(self._outputs)


def _judged(boxes: list[np.ndarray], outputs: list[np.ndarray]) -> tuple[Any, Any]:
    """Returns the results of two epochs in two batches each, and the decoder."""
    options = _options()
    encoder, decoder = (
        Encoder.of_network(options, IMAGE, MAPS),
        Decoder.from_options(options, IMAGE),
    )
    targets = encoder.targets(boxes)
    batches = [slice(0, 4), slice(4, None)]
    judge = AveragePrecision(
        _Recorded([outputs[part] for _ in range(2) for part in batches]), decoder, CLASSES
    )
    found = []
    for _ in range(2):
        for part in batches:
            batch = Batch(np.zeros((len(targets[part]), 1)), targets[part], len(targets[part]))
            np.testing.assert_array_equal(judge.evaluate(batch), np.ones(4))
        found.append(judge.results())
    return found, decoder


def test_average_precisions_are_those_of_predicted_and_true_boxes() -> None:
    random = np.random.default_rng(4)
    boxes = [random_rows(random, 5, IMAGE, CLASSES) for _ in range(6)]
    outputs = Encoder.of_network(_options(), IMAGE, MAPS).targets(boxes)
    outputs[:, :, :4] = 0.8 * outputs[:, :, :4] + 0.2 * random.random((6, len(outputs[0]), 4))
    outputs[:, :, 4:8] += random.normal(0, 0.3, outputs[:, :, 4:8].shape)
    (first, second), decoder = _judged(boxes, list(outputs))
    values = average_precisions([decoder.boxes(one) for one in outputs], boxes, CLASSES)
    assert first == second
    assert first == {
        "average_precision": pytest.approx(values.mean()),
        "average_precision_50": pytest.approx(values[:, 0].mean()),
    }
    assert 0.05 < values.mean() < 0.95


def test_without_objects_there_is_nothing_to_miss() -> None:
    boxes = [np.zeros((0, 5))] * 5
    (first, _), _ = _judged(boxes, list(Encoder.of_network(_options(), IMAGE, MAPS).targets(boxes)))
    assert first == {"average_precision": 1.0, "average_precision_50": 1.0}
