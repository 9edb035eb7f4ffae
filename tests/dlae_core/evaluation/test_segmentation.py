"""Label maps, case by case; slices that become volumes again."""

import math

import numpy as np
import pytest

from dlae_core.evaluation.geometry import Units
from dlae_core.evaluation.measures import Bootstrap, Key
from dlae_core.evaluation.result import Place, Result, Sample, exemplary
from dlae_core.evaluation.segmentation import Segmentation

RANDOM = np.random.default_rng(4)
NOWHERE = Units(mm=False, stacked=False, axes=2)


def maps(shape: tuple[int, ...], classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Returns a map, and one that differs from it here and there."""
    reference = RANDOM.integers(0, classes, shape)
    other = RANDOM.integers(0, classes, shape)
    return reference, np.where(RANDOM.random(shape) < 0.2, other, reference)


def evaluated(units: Units, classes: int, cases: list[list[Sample]]) -> Result:
    evaluator = Segmentation(classes, units)
    for samples in cases:
        evaluator.add(samples)
    return evaluator.result(Bootstrap(50))


def test_the_pixels_of_a_case_are_counted_together() -> None:
    pairs = [maps((8, 9)) for _ in range(3)]
    samples = [Sample(str(i), found, wanted) for i, (wanted, found) in enumerate(pairs)]
    result = evaluated(NOWHERE, 3, [samples])
    (case,) = result.cases
    wanted, found = (np.stack(side) for side in zip(*pairs, strict=True))
    dice = []
    for kind in (1, 2):
        both = ((wanted == kind) & (found == kind)).sum()
        dice.append(2 * both / ((wanted == kind).sum() + (found == kind).sum()))
        assert case.values[Key("dice", f"class {kind}")] == pytest.approx(dice[-1])
        size = Key("predicted_size", f"class {kind}", "pixels")
        assert case.values[size] == (found == kind).sum()
    assert case.values[Key("dice")] == case.quality == pytest.approx(np.mean(dice))
    assert case.values[Key("accuracy")] == pytest.approx((wanted == found).mean())
    assert case.samples == ("0", "1", "2")
    assert result.confusion is not None
    assert result.confusion.sum() == wanted.size


def test_means_and_agreements_are_over_cases() -> None:
    pairs = [maps((8, 9), 2) for _ in range(5)]
    cases = [[Sample(str(i), found, wanted)] for i, (wanted, found) in enumerate(pairs)]
    result = evaluated(NOWHERE, 2, cases)
    key = Key("dice", "class 1")
    (dice,) = [one for one in result.measures if one.key == key]
    assert dice.value == pytest.approx(np.mean([case.values[key] for case in result.cases]))
    assert dice.low <= dice.value <= dice.high
    (agreement,) = result.agreements
    assert agreement.reference.tolist() == [float((wanted == 1).sum()) for wanted, _ in pairs]
    words = [word for word, _ in exemplary(result.cases)]
    qualities = [case.quality for _, case in exemplary(result.cases)]
    assert words == ["best", "median", "worst"]
    assert qualities == sorted(qualities, reverse=True)
    assert not {"reference_size", "predicted_size"} & {one.key.name for one in result.measures}


def slices(volume: np.ndarray, found: np.ndarray, step: float) -> list[Sample]:
    return [
        Sample(str(i), found[..., i], volume[..., i], Place((0.5, 2.0), "series", i, step))
        for i in range(volume.shape[-1])
    ]


def test_slices_of_a_series_are_measured_as_the_volume_that_they_are() -> None:
    volume, found = (np.zeros((7, 8, 6), np.uint8) for _ in range(2))
    volume[2:5, 2:5, 1:3] = 1
    found[2:5, 2:5, 2:5] = 1
    samples = slices(volume, found, 3.0)
    units = Units.of([one.place for one in samples], 2, grouped=True)
    assert (units.length, units.size, units.stacked) == ("mm", "ml", True)
    stacked = evaluated(units, 2, [samples[::-1]]).cases[0].values
    space = Units(mm=True, stacked=False, axes=3)
    whole = Sample("0", found, volume, Place((0.5, 2.0, 3.0)))
    expected = evaluated(space, 2, [[whole]]).cases[0].values
    assert stacked == pytest.approx(expected)
    assert stacked[Key("reference_size", "class 1", "ml")] == pytest.approx(18 * 3 / 1000)
    # The prediction ends 2 slices of 3 mm too late.
    assert stacked[Key("hd95", "class 1", "mm")] == pytest.approx(6)


def test_distances_of_slices_that_are_no_volume_are_pooled_where_both_hold_the_class() -> None:
    wanted, found = (np.zeros((4, 9, 9), np.uint8) for _ in range(2))
    wanted[0, 4, 2] = found[0, 4, 5] = 1
    wanted[1, 4, 2] = found[1, 4, 3] = 1
    found[2, 0, 0] = 1
    samples = [Sample(str(i), found[i], wanted[i]) for i in range(4)]
    values = evaluated(NOWHERE, 2, [samples]).cases[0].values
    assert values[Key("surface_distance", "class 1", "pixels")] == pytest.approx(2)
    alone = evaluated(NOWHERE, 2, [samples[2:]]).cases[0].values
    assert alone[Key("hd95", "class 1", "pixels")] == math.inf


def test_a_class_that_nobody_holds_does_not_count_and_one_that_is_missed_counts_0() -> None:
    empty, some = np.zeros((5, 5), np.uint8), np.zeros((5, 5), np.uint8)
    some[1:3, 1:3] = 1
    cases = [[Sample("0", empty, empty)], [Sample("1", empty, some)], [Sample("2", some, some)]]
    result = evaluated(NOWHERE, 2, cases)
    found = {one.key: one for one in result.measures}
    dice = found[Key("dice", "class 1")]
    assert (dice.value, dice.cases) == (0.5, 2)
    hausdorff = found[Key("hd95", "class 1", "pixels")]
    assert (hausdorff.value, hausdorff.cases, hausdorff.infinite) == (0, 1, 1)
    assert math.isnan(result.cases[0].quality)
    assert "does not count" in result.notes[0]
    assert evaluated(NOWHERE, 2, cases[2:]).notes == ()
    assert [word for word, _ in exemplary(result.cases)] == ["best", "worst"]


@pytest.mark.parametrize(
    ("places", "axes", "grouped", "length", "size"),
    [
        ([Place(), Place((1.0, 1.0))], 2, True, "pixels", "pixels"),
        ([Place((1.0, 1.0))], 2, True, "mm", "mm2"),
        ([Place((1.0, 1.0), "a", 0, 2.0)], 2, False, "mm", "mm2"),
        ([Place((1.0, 1.0), "a", 0, 2.0)], 2, True, "mm", "ml"),
        ([Place((1.0, 1.0, 1.0))], 3, False, "mm", "ml"),
    ],
)
def test_units_are_mm_where_all_spacings_are_known(
    places: list[Place], axes: int, grouped: bool, length: str, size: str
) -> None:
    units = Units.of(places, axes, grouped)
    assert (units.length, units.size) == (length, size)


def test_slices_that_do_not_follow_each_other_are_separate_volumes() -> None:
    volume = np.ones((3, 3, 5), np.uint8)
    units = Units(mm=True, stacked=True, axes=2)
    samples = slices(volume, volume, 1.0)
    shapes = [one.reference.shape for one in units.volumes([*samples[:2], *samples[3:]])]
    assert shapes == [(3, 3, 2), (3, 3, 2)]
