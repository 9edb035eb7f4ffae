"""Detections: counted by hand, and resamples as the metrics of images drawn several times."""

import numpy as np
import pytest

from dlae_core.detection.average_precision import average_precisions, mean_average_precision
from dlae_core.detection.froc import RATES, froc
from dlae_core.evaluation.boxes import Boxes
from dlae_core.evaluation.measures import Bootstrap, Key, Measure
from dlae_core.evaluation.result import Result, Sample

RANDOM = np.random.default_rng(12)
Rows = list[np.ndarray]


def random_rows(images: int) -> tuple[Rows, Rows]:
    """Returns boxes near objects of two classes, and others."""
    found, truth = [], []
    for _ in range(images):
        low = RANDOM.uniform(0, 60, (RANDOM.integers(0, 4), 2))
        objects = np.column_stack([RANDOM.integers(1, 3, len(low)), low, low + 20])
        near = np.repeat(objects, 2, axis=0)
        near[:, 1:] += RANDOM.normal(0, 2.5, (len(near), 4))
        other = RANDOM.uniform(0, 60, (2, 2))
        kinds = RANDOM.integers(1, 3, (2, 1))
        boxes = np.concatenate([near, np.column_stack([kinds, other, other + 15])])
        sure = RANDOM.random((len(boxes), 1))
        found.append(np.concatenate([boxes[:, :1], sure, boxes[:, 1:]], axis=1))
        truth.append(objects)
    return found, truth


def evaluated(found: Rows, truth: Rows, draws: int = 0, confidence: float = 0.0) -> Result:
    evaluator = Boxes(2, confidence)
    for place, pair in enumerate(zip(found, truth, strict=True)):
        evaluator.add([Sample(str(place), *pair)])
    return evaluator.result(Bootstrap(draws, 0.5))


def by_key(result: Result) -> dict[Key, Measure]:
    return {one.key: one for one in result.measures}


def test_counts_precision_and_sensitivity_by_hand() -> None:
    square = [0.0, 0, 10, 10]
    truth = [np.array([[1, *square], [1, 20, 20, 30, 30]]), np.empty((0, 5))]
    found = [
        np.array([[1, 0.9, *square], [1, 0.6, 40, 40, 50, 50], [1, 0.2, 20, 20, 30, 30]]),
        np.array([[1, 0.7, *square]]),
    ]
    result = evaluated(found, truth, confidence=0.5)
    values = {key: one.value for key, one in by_key(result).items()}
    # By confidence: hit, miss, miss, hit: precision 1 up to recall 1/2, then 2/4.
    precision = (51 + 50 * 0.5) / 101
    assert values[Key("map")] == values[Key("ap50", "class 1")] == pytest.approx(precision)
    assert (values[Key("sensitivity")], values[Key("precision")]) == (0.5, pytest.approx(1 / 3))
    assert values[Key("false_alarms", "per image")] == 1
    # Half of the objects without false alarm, all at one per image.
    rates = [values[Key("sensitivity", f"at {rate:g} false alarms")] for rate in RATES]
    assert rates == pytest.approx([0.5, 0.5, 0.5, 1, 1, 1, 1])
    assert values[Key("froc")] == pytest.approx(5.5 / 7)
    cases = [tuple(case.values.values()) for case in result.cases]
    assert cases == [(2, 1, 1, 1), (0, 0, 0, 1)]
    assert [case.quality for case in result.cases] == [0.5, 0]
    (curve,) = result.curves
    assert (curve.title, curve.x.tolist()) == ("class 1", [0.5, 0.5, 0.5, 1])
    assert curve.y.tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 2])


def test_values_and_intervals_are_those_of_the_metrics_of_resampled_images() -> None:
    found, truth = random_rows(12)
    measures = by_key(evaluated(found, truth, draws=30))
    counts = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), 30)
    drawn: dict[Key, list[float]] = {Key("map"): [], Key("froc"): []}
    for row in counts:
        chosen = np.repeat(np.arange(12), row)
        some, objects = [found[i] for i in chosen], [truth[i] for i in chosen]
        precisions = average_precisions(some, objects, 2)
        drawn[Key("map")].append(mean_average_precision(precisions))
        drawn[Key("froc")].append(float(froc(some, objects).at().mean()))
    expected = mean_average_precision(average_precisions(found, truth, 2))
    assert measures[Key("map")].value == pytest.approx(expected, abs=1e-12)
    assert measures[Key("froc")].value == pytest.approx(froc(found, truth).at().mean(), abs=1e-12)
    for key, values in drawn.items():
        one = measures[key]
        assert (one.low, one.high) == pytest.approx(tuple(np.percentile(values, [25, 75])))


def test_images_without_objects_or_boxes_are_no_trouble() -> None:
    nothing = [np.empty((0, 6))], [np.empty((0, 5))]
    values = {key: one.value for key, one in by_key(evaluated(*nothing, draws=5)).items()}
    assert np.isnan([values[Key("map")], values[Key("froc")], values[Key("sensitivity")]]).all()
    assert values[Key("false_alarms", "per image")] == 0
    missed = by_key(evaluated([np.empty((0, 6))], [np.array([[2.0, 0, 0, 5, 5]])], draws=5))
    assert missed[Key("map")].value == missed[Key("froc")].value == 0
