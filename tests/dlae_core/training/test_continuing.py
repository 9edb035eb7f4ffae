"""Train from Checkpoint: on from a checkpoint with the same or other settings, or from weights."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, InvalidConfig, WeightsNotFound
from dlae_core.events import EpochFinished, Event, Resumed, Warned
from dlae_core.training import train
from tests.dlae_core.training import chaos
from tests.sessions import FCN_LAYERS, config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

ON = {"config_file__type_signal": "Train from Checkpoint"}
PLATEAU = {
    "learning_rate_schedule__decay_on_plateau_switch": True,
    "learning_rate_schedule__decay_on_plateau_patience": 1,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    (folder / "other").mkdir()
    write_bright_images(folder / "other", count=12)
    return folder


def _train(data: Path, workspace: Path, epochs: int, **changes: Any) -> list[Event]:
    events: list[Event] = []
    arguments = {"training_configurations__epochs": epochs, **PLATEAU, **changes}
    text = config_text(data, **{"layers__serial_layer_list": chaos.LAYERS, **arguments})
    train(load_config(text).config, workspace, events.append, lambda: False)
    return events


def _on(path: Path) -> dict[str, Any]:
    return {**ON, "paths__load_checkpoint": str(path)}


def _warnings(events: list[Event]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, Warned):
            found.setdefault(event.reason, []).append(event.message)
    return found


def _rates(events: list[Event]) -> list[float]:
    return [event.learning_rate for event in events if isinstance(event, EpochFinished)]


@pytest.fixture(scope="module")
def short(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the last checkpoint of three epochs."""
    workspace = tmp_path_factory.mktemp("short")
    _train(data, workspace, 3)
    return max((workspace / "recovery").iterdir())


def test_more_epochs_end_like_one_training(data: Path, tmp_path: Path, short: Path) -> None:
    _train(data, tmp_path / "long", 5)
    events = _train(data, tmp_path / "on", 5, **_on(short))
    assert _warnings(events) == {
        "SETTING_CHANGED": ["training_configurations.epochs was 3 in the checkpoint and is 5"]
    }
    (resumed,) = [event for event in events if isinstance(event, Resumed)]
    assert (resumed.progress.epoch, resumed.progress.step, resumed.steps_done) == (4, 0, 9)
    left = [chaos.left(tmp_path / name) for name in ("long", "on")]
    assert left[0]["model.keras"] == left[1]["model.keras"]
    assert left[0]["history.csv"] == left[1]["history.csv"]


def test_a_checkpoint_that_was_asked_for_is_gone_on_from(data: Path, tmp_path: Path) -> None:
    asked = {
        "save_configurations__save_checkpoints_switch": True,
        "save_configurations__save_checkpoints_path": "{epoch}.keras",
    }
    _train(data, tmp_path / "whole", 3, **asked)
    middle = tmp_path / "whole" / "bundle" / "checkpoint-0001.keras"
    _train(data, tmp_path / "on", 3, **asked, **_on(middle))
    whole, on = (chaos.left(tmp_path / name) for name in ("whole", "on"))
    assert whole["model.keras"] == on["model.keras"]


def test_another_learning_rate_takes_effect_and_is_told(
    data: Path, tmp_path: Path, short: Path
) -> None:
    changes = {"learning_rate_schedule__learning_rate": 0.003}
    events = _train(data, tmp_path, 4, **changes, **_on(short))
    assert _rates(events)[-1] == 0.003
    assert set(_warnings(events)) == {"SETTING_CHANGED"}
    assert len(_warnings(events)["SETTING_CHANGED"]) == 2


def test_another_optimizer_begins_without_moments(data: Path, tmp_path: Path, short: Path) -> None:
    events = _train(data, tmp_path, 4, optimizer__optimizer="SGD", **_on(short))
    assert set(_warnings(events)) == {"SETTING_CHANGED", "OPTIMIZER_CHANGED"}


def test_other_data_are_told_and_the_epoch_counts_on(
    data: Path, tmp_path: Path, short: Path
) -> None:
    events = _train(data / "other", tmp_path, 4, **_on(short))
    assert set(_warnings(events)) == {"SETTING_CHANGED", "DATA_CHANGED"}
    assert len(_warnings(events)["DATA_CHANGED"]) == 2
    finished = [event for event in events if isinstance(event, EpochFinished)]
    assert [event.progress.epoch for event in finished] == [3, 4]


def test_a_checkpoint_with_all_epochs_is_refused(data: Path, tmp_path: Path, short: Path) -> None:
    with pytest.raises(InvalidConfig, match="more than 3 because the checkpoint is of epoch 3"):
        _train(data, tmp_path, 3, **_on(short))


def test_a_damaged_or_missing_checkpoint_is_named(data: Path, tmp_path: Path, short: Path) -> None:
    content = bytearray(short.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "damaged.dlae").write_bytes(content)
    with pytest.raises(CorruptArtifact, match=r"damaged\.dlae, found a damaged file"):
        _train(data, tmp_path / "a", 4, **_on(tmp_path / "damaged.dlae"))
    with pytest.raises(WeightsNotFound, match="missing"):
        _train(data, tmp_path / "b", 4, **_on(tmp_path / "missing.dlae"))


def test_a_checkpoint_of_another_network_gives_weights_and_training_begins_anew(
    data: Path, tmp_path: Path, short: Path
) -> None:
    layers = [*chaos.LAYERS[:-3], "Convolution 2D:4:(3, 3)", *chaos.LAYERS[-2:]]
    events = _train(data, tmp_path, 1, layers__serial_layer_list=layers, **_on(short))
    (told,) = _warnings(events)["WEIGHTS_TAKEN"]
    assert "2 of 4 layers" in told
    assert not any(isinstance(event, Resumed) for event in events)


def test_weights_of_a_keras_file_are_where_training_begins(data: Path, tmp_path: Path) -> None:
    _train(data, tmp_path / "a", 2)
    model = tmp_path / "a" / "bundle" / "model.keras"
    still = {
        "learning_rate_schedule__learning_rate": 1e-30,
        "optimizer__optimizer": "SGD",
        "training_configurations__frozen_layers": "2",
    }
    events = _train(data, tmp_path / "b", 1, **still, **_on(model))
    assert "4 of 4 layers" not in _warnings(events)["WEIGHTS_TAKEN"][0]
    assert "3 of 3 layers" in _warnings(events)["WEIGHTS_TAKEN"][0]
    after = tmp_path / "b" / "bundle" / "model.keras"
    pairs = zip(
        *(keras.models.load_model(one).get_weights() for one in (model, after)), strict=True
    )
    assert all(np.array_equal(one, two) for one, two in pairs)


def test_frozen_layers_keep_their_weights(data: Path, tmp_path: Path) -> None:
    frozen = {"training_configurations__frozen_layers": "Convolution 2D"}
    layers = {"layers__serial_layer_list": FCN_LAYERS}
    for name, epochs in (("a", 1), ("b", 2)):
        _train(data, tmp_path / name, epochs, **frozen, **layers)
    first, second = (
        keras.models.load_model(tmp_path / name / "bundle" / "model.keras") for name in "ab"
    )
    for layer in first.layers:
        if layer.weights:
            same = np.array_equal(
                layer.get_weights()[0], second.get_layer(layer.name).get_weights()[0]
            )
            assert same == (layer.name[7:] == "_convolution"), layer.name
            assert layer.trainable != (layer.name[7:] == "_convolution")


def test_an_interrupted_continuation_goes_on_from_its_own_checkpoint(
    data: Path, tmp_path: Path, short: Path
) -> None:
    _train(data, tmp_path, 5, **_on(short))
    events = _train(data, tmp_path, 5, **_on(short))
    (resumed,) = [event for event in events if isinstance(event, Resumed)]
    assert resumed.progress.epoch == 5
    assert _warnings(events) == {}


def test_a_network_that_has_nothing_in_common_is_refused(
    data: Path, tmp_path: Path, short: Path
) -> None:
    layers = [
        "Input:(8, 8, 1)",
        "Convolution 2D:3:(1, 1)",
        "Convolution 2D:2:(1, 1)",
        "Activation:softmax",
    ]
    with pytest.raises(IncompatibleArtifact, match="no layer of the same shape"):
        _train(data, tmp_path, 5, layers__serial_layer_list=layers, **_on(short))
