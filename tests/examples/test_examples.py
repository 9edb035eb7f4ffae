"""The configurations of all examples are right, and their quality is checked; without training."""

import dataclasses
import runpy
from pathlib import Path

import pytest

from dlae_core.config import load_config
from examples import running
from examples.running import Example, Outcome, run_all
from examples.table import EXAMPLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", EXAMPLES)
def test_configuration_loads_without_a_warning(name: str) -> None:
    loaded = load_config(EXAMPLES[name].config.read_text())
    assert loaded.warnings == ()
    paths = loaded.config.paths
    assert (paths.train_x, paths.train_y) == ("data/train_X.h5", "data/train_y.h5")


def test_every_configuration_is_of_an_example() -> None:
    files = set((ROOT / "examples").rglob("*.json"))
    assert files == {one.config for one in EXAMPLES.values()}


def test_the_pages_tell_of_every_example_and_what_is_expected_of_it() -> None:
    lines = (ROOT / "examples" / "README.md").read_text().splitlines()
    for one in EXAMPLES.values():
        (row,) = [line for line in lines if line.startswith(f"| `{one.name}`")]
        assert f"{one.expectation} " in f"{row} ".replace("|", " ")


def test_without_names_the_examples_are_listed_and_unknown_ones_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["examples"])
    runpy.run_module("examples", run_name="__main__")
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == list(EXAMPLES)
    monkeypatch.setattr("sys.argv", ["examples", "none"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("examples", run_name="__main__")
    assert "expected one of digits, " in capsys.readouterr().err


def _example(measure: str, wanted: float) -> Example:
    return dataclasses.replace(EXAMPLES["digits"], measure=measure, wanted=wanted)


def test_distances_are_to_be_small_and_all_else_large() -> None:
    assert _example("coordinate_error", 2).suffices(1.5)
    assert not _example("coordinate_error", 2).suffices(2.5)
    assert _example("dice", 0.8).suffices(0.85)
    assert not _example("dice", 0.8).suffices(0.75)
    # A measure that is not defined is no success.
    assert not _example("dice", 0.8).suffices(float("nan"))


def test_one_missed_quality_fails_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "run_example", lambda one, *_: Outcome(one, 0.9, 12.3))
    good, bad = _example("dice", 0.8), _example("accuracy", 0.95)
    assert run_all([good, good], tmp_path, again=False) == 0
    assert "missed" not in capsys.readouterr().out
    assert run_all([good, bad], tmp_path, again=False) == 1
    assert "0.900       12  missed" in capsys.readouterr().out
