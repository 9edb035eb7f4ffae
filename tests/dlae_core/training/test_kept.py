"""Checkpoints that the configuration asks for, and the best weights."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.checkpoints.archive import read_archive
from dlae_core.config import load_config
from dlae_core.errors import InvalidConfig, StorageFailed
from dlae_core.events import EpochFinished, Event
from dlae_core.training import demands, train
from dlae_core.training.best import Best, watched
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

EPOCHS = 6
# Falls and rises.
SWINGING = {"optimizer__optimizer": "SGD", "learning_rate_schedule__learning_rate": 5.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    return folder


def _train(data: Path, workspace: Path, **changes: Any) -> tuple[Path, list[float]]:
    """Trains; returns the bundle and what was watched, epoch by epoch."""
    events: list[Event] = []
    text = config_text(data, training_configurations__epochs=EPOCHS, **{**SWINGING, **changes})
    bundle = train(load_config(text).config, workspace, events.append, lambda: False)
    return bundle, [watched(event.metrics) for event in events if isinstance(event, EpochFinished)]


def _improving(values: list[float], frequency: int) -> list[int]:
    """Returns the epochs, from 1, that are due and better than all due before, independently."""
    due = [(epoch, values[epoch - 1]) for epoch in range(frequency, len(values) + 1, frequency)]
    return [epoch for epoch, value in due if all(value < other for e, other in due if e < epoch)]


def _epochs_of(bundle: Path) -> list[int]:
    return sorted(int(path.stem.partition("-")[2]) for path in bundle.glob("checkpoint-*.keras"))


@pytest.mark.parametrize(
    ("frequency", "validation"), [(1, 0.25), (2, 0.25), (1, 0.0)], ids=["each", "second", "without"]
)
def test_every_improvement_is_kept_where_names_differ(
    data: Path, tmp_path: Path, frequency: int, validation: float
) -> None:
    bundle, values = _train(
        data,
        tmp_path,
        save_configurations__save_checkpoints_switch=True,
        save_configurations__save_checkpoints_path="{epoch}.keras",
        save_configurations__save_checkpoints_frequency=frequency,
        training_configurations__validation_split=validation,
    )
    expected = _improving(values, frequency)
    assert _epochs_of(bundle) == expected
    assert 1 <= len(expected) <= EPOCHS / frequency
    state = read_archive(bundle / f"checkpoint-{expected[-1]:04d}.keras")
    assert state.facts["position"]["epoch"] == expected[-1]
    assert set(Bundle.open(bundle).manifest.files) >= {
        f"checkpoint-{epoch:04d}.keras" for epoch in expected
    }


def test_the_best_is_kept_where_all_have_one_name_and_is_the_model_where_asked_for(
    data: Path, tmp_path: Path
) -> None:
    bundle, values = _train(
        data,
        tmp_path,
        save_configurations__save_checkpoints_switch=True,
        save_configurations__save_checkpoints_path="best.keras",
        training_configurations__restore_best_switch=True,
    )
    best = int(np.argmin(values)) + 1
    assert best < EPOCHS
    assert _epochs_of(bundle) == [best]
    assert Bundle.open(bundle).manifest.metrics["val_loss"] == min(values)
    models = [bundle / "model.keras", bundle / f"checkpoint-{best:04d}.keras"]
    weights = [keras.models.load_model(path).get_weights() for path in models]
    assert all(np.array_equal(one, two) for one, two in zip(*weights, strict=True))
    assert not list(tmp_path.glob("kept/.*"))


@pytest.mark.parametrize("field", ["val_loss", "dice_7"])
def test_names_of_metrics_that_will_not_be_there_are_refused_before_training(
    data: Path, tmp_path: Path, field: str
) -> None:
    with pytest.raises(InvalidConfig, match=f"expected 'epoch' or a metric .* got '{field}'"):
        _train(
            data,
            tmp_path,
            save_configurations__save_checkpoints_switch=True,
            save_configurations__save_checkpoints_path=f"{{{field}:.2f}}.keras",
            training_configurations__validation_split=0.0,
        )


def test_a_disk_that_is_too_small_is_told_before_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(demands.shutil, "disk_usage", lambda folder: Usage)
    with pytest.raises(StorageFailed, match="on the disk for checkpoints and model, found 0 MB"):
        _train(data, tmp_path)


def test_only_a_lower_value_is_better() -> None:
    best = Best()
    values = [float("nan"), 3.0, 3.0, 2.0, float("nan"), 2.5]
    assert [best.improves(epoch, value) for epoch, value in enumerate(values, 1)] == [
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    again = Best()
    again.restore(best.state())
    assert (again.epoch, again.improves(7, 2.0), again.improves(8, 1.9)) == (4, False, True)
