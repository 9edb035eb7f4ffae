"""Which samples are trained on: exact counts, whole groups, folds, from a seed alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlae_core.data.split import Holdout, Split, check_apart, split_names
from dlae_core.errors import UnusableDataset

NAMES = tuple(map(str, range(10)))


@pytest.mark.parametrize(
    ("count", "fraction", "validation"),
    [(10, 0.25, 3), (10, 0.3, 3), (100, 0.07, 7), (100, 0.28, 28), (10, 0.8, 8), (10, 0.0, 0)],
)
def test_the_split_counts_exactly_and_takes_the_first(
    count: int, fraction: float, validation: int
) -> None:
    names = [str(number) for number in range(count)]
    split = split_names(names, Holdout(fraction), shuffle=False, seed=1)
    assert split.validation == tuple(names[:validation])
    assert split.training == tuple(names[validation:])


@pytest.mark.parametrize("holdout", [Holdout(0.3), Holdout(folds=3, fold=1)])
def test_the_shuffled_split_is_a_function_of_the_seed(holdout: Holdout) -> None:
    first, second, other = (split_names(NAMES, holdout, True, seed) for seed in (1, 1, 2))
    assert first == second != other
    assert sorted(first.training + first.validation) == sorted(NAMES)


def test_a_split_that_leaves_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(UnusableDataset, match="none is left"):
        split_names(["0"], Holdout(0.5), False, 1)


def test_folds_take_turns_and_differ_by_one_sample_at_most() -> None:
    folds = [split_names(NAMES, Holdout(folds=4, fold=fold), False, 1) for fold in range(4)]
    assert [one.validation for one in folds] == [
        ("0", "4", "8"),
        ("1", "5", "9"),
        ("2", "6"),
        ("3", "7"),
    ]
    for one in folds:
        assert sorted(one.training + one.validation) == sorted(NAMES)


def test_whole_groups_come_as_near_as_they_can_to_the_fraction() -> None:
    groups = dict(zip(NAMES, "aaaabbbccd", strict=True))
    split = split_names(NAMES, Holdout(0.5), False, 1, groups)
    assert split.validation == ("0", "1", "2", "3", "9")
    split = split_names(NAMES, Holdout(0.6), False, 1, groups)
    assert split.validation == ("0", "1", "2", "3", "4", "5", "6")
    # Every group but the last is larger than what is wanted.
    split = split_names(NAMES, Holdout(0.1), False, 1, groups)
    assert split.validation == ("9",)
    split = split_names(NAMES, Holdout(0.1), False, 1, dict(zip(NAMES, "aaaaabbbbb", strict=True)))
    assert split.validation == NAMES[:5]


def test_the_largest_groups_are_spread_over_the_folds_first() -> None:
    groups = dict(zip(NAMES, "abbbccccdd", strict=True))
    folds = [split_names(NAMES, Holdout(folds=3, fold=n), False, 1, groups) for n in range(3)]
    found = ["".join(sorted({groups[name] for name in one.validation})) for one in folds]
    assert found == ["c", "b", "ad"]


GROUPED = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40).filter(
    lambda found: len(set(found)) > 1
)


@given(
    GROUPED,
    st.one_of(
        st.floats(0.01, 0.99).map(Holdout),
        st.tuples(st.integers(2, 8), st.integers(0, 7)).map(
            lambda pair: Holdout(folds=pair[0], fold=pair[1] % pair[0])
        ),
    ),
    st.integers(0, 5),
)
def test_no_group_is_on_both_sides(found: list[str], holdout: Holdout, seed: int) -> None:
    groups = {str(number): group for number, group in enumerate(found)}
    if holdout.folds > len(set(found)):
        with pytest.raises(UnusableDataset, match="groups, one per fold"):
            split_names(tuple(groups), holdout, True, seed, groups)
        return
    split = split_names(tuple(groups), holdout, True, seed, groups)
    assert split.training
    assert split.validation
    assert sorted(split.training + split.validation) == sorted(groups)
    sides = [{groups[name] for name in side} for side in (split.training, split.validation)]
    assert not sides[0] & sides[1]


@given(st.integers(2, 8), GROUPED)
def test_every_sample_is_kept_by_one_fold(folds: int, found: list[str]) -> None:
    groups = {str(number): group for number, group in enumerate(found)}
    folds = min(folds, len(set(found)))
    kept = [
        name
        for fold in range(folds)
        for name in split_names(
            tuple(groups), Holdout(folds=folds, fold=fold), True, 3, groups
        ).validation
    ]
    assert sorted(kept) == sorted(groups)


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(UnusableDataset, match=r"at least 2 groups.*got 1"):
        split_names(NAMES, Holdout(0.3), False, 1, dict.fromkeys(NAMES, "a"))
    with pytest.raises(UnusableDataset, match="at least 11 samples, one per fold, got 10"):
        split_names(NAMES, Holdout(folds=11), False, 1)


def test_groups_of_other_files_are_kept_apart_without_being_named() -> None:
    training = {"0": "Smith", "1": "Jones"}
    check_apart(training, {"0": "Brown"}, "V.h5")
    with pytest.raises(UnusableDataset, match=r"V\.h5: .* found 2 samples .* \(3, 10\)") as caught:
        check_apart(training, {"10": "Smith", "3": "Smith", "4": "Brown"}, "V.h5")
    assert "Smith" not in str(caught.value)


def test_the_saved_split_holds_names_by_use_and_file() -> None:
    found = json.loads(Split(("10", "2"), ("1",)).to_json())
    assert found == {"training": {"train_X": ["2", "10"]}, "validation": {"train_X": ["1"]}}
    found = json.loads(Split(("0",), ("5",), "validation_X").to_json())
    assert found["validation"] == {"validation_X": ["5"]}
