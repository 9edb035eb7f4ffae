"""Classes of images: values of scikit-learn, for all samples and for resamples."""

import itertools

import numpy as np
import pytest
from sklearn import metrics

from dlae_core.evaluation.classification import Classification, Ranking, bins_of
from dlae_core.evaluation.measures import Bootstrap, Key, Measure
from dlae_core.evaluation.result import Result, Sample

RANDOM = np.random.default_rng(2)
Outputs = np.ndarray


def outputs(samples: int, classes: int) -> tuple[Outputs, Outputs]:
    """Returns probabilities with ties, and classes that they tell something about."""
    reference = RANDOM.integers(0, classes, samples)
    raw = RANDOM.normal(size=(samples, classes)) + 1.5 * np.eye(classes)[reference]
    weights = np.exp(np.round(raw))
    return weights / weights.sum(axis=1, keepdims=True), reference


def evaluated(rows: Outputs, reference: Outputs, draws: int = 0, size: int = 1) -> Result:
    """Returns the result, so many samples to a group."""
    evaluator = Classification(rows.shape[1])
    samples = [
        Sample(str(place), row, np.array(kind))
        for place, (row, kind) in enumerate(zip(rows, reference, strict=True))
    ]
    for start in range(0, len(samples), size):
        evaluator.add(samples[start : start + size])
    return evaluator.result(Bootstrap(draws))


def by_key(result: Result) -> dict[Key, Measure]:
    return {one.key: one for one in result.measures}


def test_values_of_two_classes_are_those_of_scikit_learn() -> None:
    rows, reference = outputs(120, 2)
    found = {key: one.value for key, one in by_key(evaluated(rows, reference)).items()}
    predicted, score = rows.argmax(axis=1), rows[:, 1]
    expected = {
        Key("accuracy"): metrics.accuracy_score(reference, predicted),
        Key("balanced_accuracy"): metrics.balanced_accuracy_score(reference, predicted),
        Key("f1"): metrics.f1_score(reference, predicted, average="macro"),
        Key("sensitivity", "class 1"): metrics.recall_score(reference, predicted),
        Key("specificity", "class 1"): metrics.recall_score(reference, predicted, pos_label=0),
        Key("precision", "class 1"): metrics.precision_score(reference, predicted),
        Key("f1", "class 1"): metrics.f1_score(reference, predicted),
        Key("auc", "class 1"): metrics.roc_auc_score(reference, score),
        Key("average_precision", "class 1"): metrics.average_precision_score(reference, score),
        Key("brier"): metrics.brier_score_loss(reference, score),
        Key("log_loss"): metrics.log_loss(reference, rows),
    }
    assert set(found) == {*expected, Key("calibration_error")}
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-9), key


def test_values_of_several_classes_are_those_of_scikit_learn() -> None:
    rows, reference = outputs(150, 4)
    found = {key: one.value for key, one in by_key(evaluated(rows, reference)).items()}
    predicted, true = rows.argmax(axis=1), np.eye(4)[reference]
    areas = metrics.roc_auc_score(true, rows, average=None)
    expected = {
        Key("balanced_accuracy"): metrics.balanced_accuracy_score(reference, predicted),
        Key("f1"): metrics.f1_score(reference, predicted, average="macro"),
        Key("auc"): metrics.roc_auc_score(reference, rows, multi_class="ovr"),
        Key("average_precision"): metrics.average_precision_score(true, rows),
        Key("log_loss"): metrics.log_loss(reference, rows),
        Key("brier"): ((rows - true) ** 2).sum(axis=1).mean(),
        **{Key("auc", f"class {kind}"): area for kind, area in enumerate(areas)},
    }
    recalls = metrics.recall_score(reference, predicted, average=None)
    expected |= {Key("sensitivity", f"class {kind}"): one for kind, one in enumerate(recalls)}
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-9), key


def test_weights_stand_for_samples_drawn_several_times() -> None:
    rows, reference = outputs(40, 2)
    weights = RANDOM.integers(0, 4, (5, 40))
    areas, precisions = Ranking(rows[:, 1], reference == 1).areas(weights.astype(float))
    for draw, counts in enumerate(weights):
        chosen = np.repeat(np.arange(40), counts)
        truth, score = reference[chosen], rows[chosen, 1]
        assert areas[draw] == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
        precision = metrics.average_precision_score(truth, score)
        assert precisions[draw] == pytest.approx(precision, abs=1e-12)


def test_the_interval_is_that_of_resampled_groups() -> None:
    rows, reference = outputs(30, 2)
    measures = by_key(evaluated(rows, reference, draws=200, size=3))
    counts = np.random.default_rng(0).multinomial(10, np.full(10, 1 / 10), 200)
    drawn = []
    for row in counts:
        groups = np.repeat(np.arange(10), row)
        chosen = (groups[:, np.newaxis] * 3 + np.arange(3)).ravel()
        drawn.append(metrics.roc_auc_score(reference[chosen], rows[chosen, 1]))
    one = measures[Key("auc", "class 1")]
    assert (one.low, one.high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))


def test_the_calibration_error_is_the_gap_of_confidence_and_accuracy_in_fifteen_bins() -> None:
    rows, reference = outputs(200, 3)
    confidence, right = rows.max(axis=1), rows.argmax(axis=1) == reference
    edges = np.arange(16) / 15
    expected = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = abs(confidence[inside].mean() - right[inside].mean())
            expected += inside.mean() * gap
    found = by_key(evaluated(rows, reference))[Key("calibration_error")]
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert bins_of(np.array([0.0, 0.05, 1.0])).tolist() == [0, 0, 14]


def test_outputs_that_are_no_probabilities_are_not_calibrated() -> None:
    rows, reference = outputs(20, 3)
    result = evaluated(5 * rows, reference)
    assert "brier" not in {one.key.name for one in result.measures}
    assert "no probabilities" in result.notes[0]


def test_classes_that_do_not_occur_do_not_count() -> None:
    rows = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    result = by_key(evaluated(rows, np.array([0, 1, 1])))
    assert np.isnan(result[Key("auc", "class 2")].value)
    assert result[Key("balanced_accuracy")].value == pytest.approx(0.75)
    alone = by_key(evaluated(rows[:1], np.array([0]), draws=10))
    assert np.isnan(alone[Key("auc")].value)


def test_cases_tell_outputs_and_confusion_counts_them() -> None:
    rows, reference = outputs(50, 3)
    result = evaluated(rows, reference)
    expected = metrics.confusion_matrix(reference, rows.argmax(axis=1))
    assert result.confusion is not None
    np.testing.assert_array_equal(result.confusion, expected)
    first = result.cases[0]
    assert first.values[Key("output", "class 2")] == rows[0, 2]
    assert first.quality == rows[0, reference[0]]
