"""Trainings that are interrupted end as if they had not been."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlae_core.config import load_config
from dlae_core.errors import TrainingCancelled
from dlae_core.events import EpochFinished, Event, Resumed, StepFinished, TrainingStarted, Warned
from dlae_core.training import train
from tests.dlae_core.checkpoints.test_archive import full_disk
from tests.dlae_core.training import chaos
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

Stop = Callable[[Event], bool]
# Thirty take a minute and a half.
KILLS = os.environ.get("DLAE_CHAOS_KILLS", "30")


class Killed(Exception):
    """Takes the place of a signal: nothing in the engine expects it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("whole")
    _train(_text(data), workspace)
    return workspace


def _text(data: Path, **changes: Any) -> str:
    return config_text(
        data,
        training_configurations__epochs=3,
        layers__serial_layer_list=chaos.LAYERS,
        augmentation__apply_augmentation_switch=True,
        augmentation__horizontal_flip_switch=True,
        learning_rate_schedule__warm_up_length=2,
        **changes,
    )


def _train(text: str, workspace: Path, stop: Stop = lambda event: False) -> list[Event]:
    """Trains, and dies after the event that `stop` says."""
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if stop(event):
            raise Killed

    with suppress(Killed):
        train(load_config(text).config, workspace, emit, lambda: False)
    return events


def _after(step: int) -> Stop:
    return lambda event: isinstance(event, StepFinished) and event.steps_done == step


def _resumed(events: list[Event]) -> list[tuple[int, int, int]]:
    found = [event for event in events if isinstance(event, Resumed)]
    return [(one.progress.epoch, one.progress.step, one.steps_done) for one in found]


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a checkpoint after every step."""
    monkeypatch.setattr("dlae_core.checkpoints.recovery.Recovery.is_due", lambda *_, **__: True)


# A step is told before its checkpoint is written.
@pytest.mark.parametrize(
    ("step", "begin"), [(1, []), (2, [(1, 1, 1)]), (4, [(2, 0, 3)]), (6, [(2, 2, 5)])]
)
@pytest.mark.usefixtures("every_step")
def test_a_training_that_died_within_an_epoch_ends_with_the_same_bytes(
    data: Path, tmp_path: Path, whole: Path, step: int, begin: list[tuple[int, int, int]]
) -> None:
    _train(_text(data), tmp_path, _after(step))
    events = _train(_text(data), tmp_path)
    assert isinstance(events[0], TrainingStarted)
    assert _resumed(events[1:2]) == _resumed(events) == begin
    assert chaos.left(tmp_path) == chaos.left(whole)


def test_a_training_goes_on_where_its_files_have_moved(
    data: Path, tmp_path: Path, whole: Path
) -> None:
    _train(_text(data), tmp_path / "work", lambda event: isinstance(event, EpochFinished))
    (tmp_path / "work").rename(tmp_path / "restored")
    shutil.copytree(data, tmp_path / "data")
    events = _train(_text(tmp_path / "data"), tmp_path / "restored")
    assert _resumed(events) == [(2, 0, 3)]
    assert chaos.left(tmp_path / "restored") == chaos.left(whole)


def test_a_training_that_died_between_epochs_tells_the_last_one_again(
    data: Path, tmp_path: Path, whole: Path
) -> None:
    first = _train(_text(data), tmp_path, lambda event: isinstance(event, EpochFinished))
    events = _train(_text(data), tmp_path)
    assert _resumed(events) == [(2, 0, 3)]
    assert events[2] == first[-1]
    assert chaos.left(tmp_path) == chaos.left(whole)


def test_a_training_that_had_ended_only_saves_again(
    data: Path, tmp_path: Path, whole: Path
) -> None:
    _train(_text(data), tmp_path)
    events = _train(_text(data), tmp_path)
    assert _resumed(events) == [(3, 3, 9)]
    assert not any(isinstance(event, StepFinished) for event in events)
    assert chaos.left(tmp_path) == chaos.left(whole)


@pytest.mark.usefixtures("every_step")
def test_a_damaged_checkpoint_is_told_of_and_the_one_before_taken(
    data: Path, tmp_path: Path, whole: Path
) -> None:
    _train(_text(data), tmp_path, _after(6))
    newest = max((tmp_path / "recovery").iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    events = _train(_text(data), tmp_path)
    assert [event.reason for event in events if isinstance(event, Warned)] == ["CHECKPOINT_DAMAGED"]
    assert _resumed(events) == [(2, 1, 4)]
    assert chaos.left(tmp_path) == chaos.left(whole)


@pytest.mark.usefixtures("every_step")
def test_a_checkpoint_of_other_settings_is_not_gone_on_from(data: Path, tmp_path: Path) -> None:
    _train(_text(data, augmentation__random_seed=4), tmp_path, _after(2))
    events = _train(_text(data), tmp_path)
    assert [event.reason for event in events if isinstance(event, Warned)] == ["OTHER_CHECKPOINT"]
    assert _resumed(events) == []


@pytest.mark.usefixtures("every_step")
def test_a_full_disk_costs_the_checkpoint_not_the_training(
    data: Path, tmp_path: Path, whole: Path
) -> None:
    def full(event: Event) -> bool:
        return isinstance(event, StepFinished) and event.steps_done == 4

    events: list[Event] = []

    def cancelled() -> bool:
        return any(full(event) for event in events)

    with full_disk(12_000), pytest.raises(TrainingCancelled):
        train(load_config(_text(data)).config, tmp_path, events.append, cancelled)
    reasons = {event.reason for event in events if isinstance(event, Warned)}
    assert reasons == {"CHECKPOINT_FAILED"}
    assert list((tmp_path / "recovery").iterdir()) == []
    assert _resumed(_train(_text(data), tmp_path)) == []
    assert chaos.left(tmp_path) == chaos.left(whole)


def test_cancelling_leaves_a_checkpoint(data: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    config = load_config(_text(data)).config
    with pytest.raises(TrainingCancelled):
        train(config, tmp_path, events.append, lambda: any(map(_after(5), events)))
    assert _resumed(_train(_text(data), tmp_path)) == [(2, 2, 5)]


def test_a_training_killed_at_random_instants_ends_with_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.dlae_core.training.chaos", str(tmp_path), KILLS, "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
