"""Rules about what is kept for validation, each broken on its own."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import violations, warnings

_T = "training_configurations__"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({f"{_T}folds": 5, f"{_T}validation_split": 0.2}, "folds"),
        (
            {
                f"{_T}folds": 5,
                f"{_T}validation_split": 0,
                "paths__validation_X": "v.h5",
                "paths__validation_y": "w.h5",
            },
            "folds",
        ),
        ({f"{_T}folds": 5, f"{_T}fold": 5, f"{_T}validation_split": 0}, "fold"),
        ({f"{_T}fold": 1}, "fold"),
        ({f"{_T}split_group": "patient", "paths__split_groups": "g.csv"}, "split_group"),
    ],
)
def test_contradictions_of_the_split_are_found(changes: dict[str, Any], path: str) -> None:
    assert violations(**changes) == [(f"training_configurations.{path}", "CONTRADICTION")]


@pytest.mark.parametrize(
    "changes",
    [
        {f"{_T}folds": 5, f"{_T}fold": 4, f"{_T}validation_split": 0},
        {f"{_T}split_group": "patient"},
        {"paths__split_groups": "g.csv"},
        {
            f"{_T}split_group": "patient",
            f"{_T}validation_split": 0,
            "paths__validation_X": "v.h5",
            "paths__validation_y": "w.h5",
        },
        {f"{_T}folds": 2, f"{_T}validation_split": 0, f"{_T}early_stop_switch": True},
        {f"{_T}data_threads": 0, f"{_T}data_memory": 0},
    ],
)
def test_splits_that_agree_are_accepted(changes: dict[str, Any]) -> None:
    assert violations(**changes) == []
    assert warnings(**changes) == []


@pytest.mark.parametrize("value", [1, 0, -2])
def test_there_are_two_folds_at_least(value: int) -> None:
    changes = {f"{_T}folds": value, f"{_T}validation_split": 0}
    assert [path for path, _ in violations(**changes)] == ["training_configurations.folds"]


def test_groups_without_a_split_are_doubtful() -> None:
    for key, path in (
        (f"{_T}split_group", "training_configurations.split_group"),
        ("paths__split_groups", "paths.split_groups"),
    ):
        found = warnings(**{key: "patient", f"{_T}validation_split": 0})
        assert (path, "NO_EFFECT") in found
