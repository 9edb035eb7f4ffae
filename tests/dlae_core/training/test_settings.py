"""Settings that change how steps are run: precision, compilation, several steps in one call."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.pipeline import Batch
from dlae_core.errors import TrainingDiverged
from dlae_core.events import EpochFinished, Event, StepFinished
from dlae_core.training import train
from dlae_core.training.grouping import grouped
from tests.dlae_core.training import chaos
from tests.dlae_core.training.test_resume import Killed
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    return folder


def _train(data: Path, workspace: Path, **changes: Any) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    text = config_text(data, **changes)
    return train(load_config(text).config, workspace, events.append, lambda: False), events


def test_16_bits_learn_as_well_as_32_and_leave_a_model_of_32(data: Path, tmp_path: Path) -> None:
    dice = {}
    for precision in ("float32", "mixed_bfloat16"):
        bundle, events = _train(
            data,
            tmp_path / precision,
            training_configurations__epochs=40,
            training_configurations__precision=precision,
            save_configurations__save_checkpoints_switch=True,
            save_configurations__save_checkpoints_path="best.keras",
        )
        dice[precision] = [
            event.metrics["val_dice"] for event in events if isinstance(event, EpochFinished)
        ]
    assert dice["float32"] != dice["mixed_bfloat16"]
    assert dice["mixed_bfloat16"][-1] > 0.95 * dice["float32"][-1] > 0.85
    for path in bundle.glob("*.keras"):
        model = keras.models.load_model(path)
        assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


def test_several_steps_in_one_call_are_told_one_by_one_and_resumed_exactly(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlae_core.checkpoints.recovery.Recovery.is_due", lambda *_, **__: True)
    # Twelve samples, two passes: 5, 5, 2, 5, 5, 2.
    several = {
        "layers__serial_layer_list": chaos.LAYERS,
        "training_configurations__batch_size": 5,
        "training_configurations__steps_per_call": 2,
        "augmentation__rounds": 2,
    }
    _, events = _train(data, tmp_path / "whole", **several)
    steps = [event for event in events if isinstance(event, StepFinished)]
    assert [event.steps_done for event in steps] == list(range(1, 13))
    assert [event.samples_done for event in steps[:4]] == [5, 10, 12, 17]
    text = config_text(data, **several)

    def dies(event: Event) -> None:
        if isinstance(event, StepFinished) and event.steps_done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(load_config(text).config, tmp_path / "torn", dies, lambda: False)
    _train(data, tmp_path / "torn", **several)
    assert chaos.left(tmp_path / "torn") == chaos.left(tmp_path / "whole")


def test_batches_of_one_size_are_grouped() -> None:
    batches = [Batch(np.zeros(1), np.zeros(1), count) for count in (5, 5, 5, 2, 5, 5, 2)]
    counts = [[batch.count for batch in group] for group in grouped(iter(batches), 2)]
    assert counts == [[5, 5], [5], [2], [5, 5], [2]]
    assert [len(group) for group in grouped(batches, 1)] == [1] * 7


def test_a_diverging_loss_is_named_with_its_samples(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged, match=r"step 3 of epoch 2 .*, samples (\d+, ){3}\d+\)"):
        _train(
            data,
            tmp_path,
            preprocessing__normalization_type="none",
            optimizer__optimizer="SGD",
            loss_function__loss="mean_squared_error",
            preprocessing__categorical_switch=False,
            layers__serial_layer_list=["Input:(8, 8, 1)", "Convolution 2D:1:(1, 1)"],
            learning_rate_schedule__learning_rate=1.0,
            training_configurations__epochs=30,
            training_configurations__shuffle_data_switch=False,
        )
