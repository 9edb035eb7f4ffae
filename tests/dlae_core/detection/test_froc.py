"""FROC: cases counted by hand, and threshold by threshold."""

import numpy as np
import pytest

from dlae_core.detection.froc import froc
from tests.dlae_core.detection.settings import random_rows
from tests.dlae_core.detection.test_average_precision import SQUARE, box, overlap

NONE = np.empty((0, 6))
FAR = {"left": 50, "right": 60}


def test_the_curve_of_two_images() -> None:
    found = [np.array([box(0.9), box(0.8, **FAR)]), np.array([box(0.7, **FAR), box(0.6)])]
    curve = froc(found, [SQUARE, SQUARE])
    assert curve.false_alarms.tolist() == [0, 0, 0.5, 1, 1]
    assert curve.sensitivities.tolist() == [0, 0.5, 0.5, 0.5, 1]
    # Before the second object half are found; from 1 false alarm per image on all are.
    np.testing.assert_allclose(curve.at(), [0.5, 0.5, 0.5, 1, 1, 1, 1])


def test_between_points_the_curve_is_linear() -> None:
    found = [np.array([box(0.9), box(0.8, **FAR)]), np.array([box(0.8)]), NONE, NONE]
    curve = froc(found, [SQUARE, SQUARE, SQUARE, SQUARE])
    assert curve.false_alarms.tolist() == [0, 0, 0.25]
    assert curve.at([0.125, 0.25, 8]).tolist() == [0.375, 0.5, 0.5]


def test_further_boxes_on_an_object_are_no_false_alarms_but_those_of_another_class_are() -> None:
    again = froc([np.array([box(0.9), box(0.8)])], [SQUARE])
    assert again.false_alarms.tolist() == [0, 0]
    assert again.sensitivities.tolist() == [0, 1]
    other = froc([np.array([box(0.9, kind=2)])], [SQUARE])
    assert other.false_alarms.tolist() == [0, 1]
    assert other.sensitivities.tolist() == [0, 0]


def test_nothing_found_finds_nothing_and_without_objects_there_is_no_sensitivity() -> None:
    assert froc([NONE], [SQUARE]).at().tolist() == [0] * 7
    healthy = froc([np.array([box(0.9)])], [np.empty((0, 5))])
    assert healthy.false_alarms.tolist() == [0, 1]
    assert np.isnan(healthy.sensitivities).all()


@pytest.mark.parametrize("seed", range(4))
def test_points_are_those_of_each_threshold(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = [random_rows(random, random.integers(0, 5), (60, 80), 2) for _ in range(6)]
    found = []
    for rows in truth:
        near = np.repeat(rows, 2, axis=0)
        near[:, 1:] += random.normal(0, 2, near[:, 1:].shape)
        rest = np.concatenate([near, random_rows(random, 3, (60, 80), 2)])
        # Equal confidences as well.
        found.append(np.insert(rest, 1, random.integers(0, 20, len(rest)) / 20, axis=1))
    points = {(0.0, 0.0)}
    for level in {row[1] for rows in found for row in rows}:
        hits = alarms = 0
        for boxes, objects in zip(found, truth, strict=True):
            sure = [row for row in boxes if row[1] >= level]
            meets = [
                [row[0] == item[0] and overlap(row[2:], item[1:]) >= 0.3 for item in objects]
                for row in sure
            ]
            hits += sum(map(any, zip(*meets, strict=True)))
            alarms += sum(not any(row) for row in meets)
        points.add((alarms / len(found), hits / sum(map(len, truth))))
    curve = froc(found, truth, minimum_overlap=0.3)
    pairs = zip(curve.false_alarms, curve.sensitivities, strict=True)
    assert {(float(alarms), float(hits)) for alarms, hits in pairs} == points
