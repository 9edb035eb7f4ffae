"""Trainings on several devices and machines: one device's results, whole models, going on."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.errors import InvalidConfig, TrainingCancelled
from dlae_core.events import Event, Warned
from dlae_core.training import train
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:4:(3, 3)",
    "Activation:relu",
    "Batch normalization",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]
EPOCHS = 40
# Of a program that was asked to stop.
STOPPED = 130


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("several")
    write_bright_images(path, count=10)
    return path


def _text(folder: Path, hardware: str = "multi-gpu", **changes: Any) -> str:
    return config_text(
        folder,
        training_configurations__hardware=hardware,
        training_configurations__epochs=EPOCHS,
        optimizer__optimizer="SGD",
        layers__serial_layer_list=LAYERS,
        save_configurations__save_checkpoints_switch=True,
        save_configurations__save_checkpoints_path="last.keras",
        save_configurations__example_images=1,
        **changes,
    )


def _program(config: Path, workspace: Path, **environment: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "dlae_core.training", str(config), str(workspace)]
    pipe = subprocess.PIPE
    # Nobody reads what libraries say: it must not fill a pipe.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.Popen(program, stdout=pipe, stderr=pipe, text=True, env=environment)


def _machines(config: Path, workspace: Path, stack: ExitStack) -> list[subprocess.Popen[str]]:
    with ExitStack() as ports:
        found = [ports.enter_context(socket.create_server(("localhost", 0))) for _ in range(2)]
        addresses = [f"localhost:{one.getsockname()[1]}" for one in found]
    started = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        place = json.dumps({"cluster": {"worker": addresses}, "task": task})
        process = _program(config, workspace, TF_CONFIG=place)
        stack.enter_context(process)
        stack.callback(process.kill)
        started.append(process)
    return started


def _until(process: subprocess.Popen[str], event: str, epoch: int) -> dict[str, Any]:
    """Reads events up to the first of a kind in an epoch, or in a later one."""
    assert process.stdout is not None
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if told.get("event") == event and told["progress"]["epoch"] >= epoch:
            return told
    raise AssertionError(process.stderr.read() if process.stderr else "")


def _agree(one: Path, other: Path) -> None:
    """Makes sure that two bundles are the same up to rounding."""
    # Tests in this process write no files for other engines.
    assert {path.name for path in one.iterdir()} <= {path.name for path in other.iterdir()}
    expected, found = Bundle.open(one).manifest, Bundle.open(other).manifest
    assert found.metrics == pytest.approx(expected.metrics, abs=1e-4)
    models = [keras.saving.load_model(path / "model.keras") for path in (one, other)]
    for left, right in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-3, atol=1e-4)


def test_two_devices_and_two_machines_train_what_one_does(folder: Path) -> None:
    one = train(load_config(_text(folder, "cpu")).config, folder / "one", _ignore, bool)
    config = folder / "several.json"
    config.write_text(_text(folder, training_configurations__number_of_gpus=2))
    devices = _program(config, folder / "devices", DLAE_TEST_STAND_IN_GPUS="2")
    told, failure = devices.communicate()
    assert devices.returncode == 0, failure
    assert '"device": "2 x cpu"' in told
    _agree(one, folder / "devices" / "bundle")

    config.write_text(_text(folder))
    workspace = folder / "machines"
    with ExitStack() as stack:
        chief, other = _machines(config, workspace, stack)
        _until(chief, "EpochFinished", 3)
        other.send_signal(signal.SIGTERM)
        silent, _ = other.communicate()
        chief.communicate()
        assert (chief.returncode, other.returncode, silent) == (STOPPED, STOPPED, "")
    with ExitStack() as stack:
        chief, other = _machines(config, workspace, stack)
        _until(chief, "Resumed", 3)
        told, failure = chief.communicate()
        assert chief.returncode == 0, failure
        assert other.wait() == 0
    _agree(one, workspace / "bundle")


def test_more_gpus_than_there_are_is_a_mistake(folder: Path) -> None:
    config = load_config(_text(folder, training_configurations__number_of_gpus=1000)).config
    with pytest.raises(InvalidConfig, match=r"number_of_gpus: expected at most \d+ because"):
        train(config, folder / "many", _ignore, bool)


def test_machines_that_are_not_used_are_told_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"worker": ["a:1", "b:1"]}
    place = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(place))
    told: list[Event] = []
    with pytest.raises(TrainingCancelled):
        train(load_config(_text(folder, "cpu")).config, folder / "alone", told.append, lambda: True)
    assert "TF_CONFIG_NOT_USED" in [one.reason for one in told if isinstance(one, Warned)]


def _ignore(_: Event) -> None:
    pass
