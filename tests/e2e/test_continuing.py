"""Checkpoints: fetched to this side, and gone on from by path and by reference."""

import csv
import signal
from collections.abc import Iterator
from typing import Any

import keras
import pytest

from dlae_client import Client
from tests.e2e.test_session import Server
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("continuing")
    write_bright_images(folder)
    running = Server(folder)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0


def _train(server: Server, epochs: int, **changes: Any) -> dict[str, Any]:
    path = server.folder / "config.json"
    arguments = {"training_configurations__epochs": epochs, **changes}
    path.write_text(config_text(server.folder, **arguments))
    answer: dict[str, Any] = server.json("train", str(path), "--name", "m")
    return answer


def test_checkpoints_come_here_and_training_goes_on_from_them(server: Server) -> None:
    out = server.folder / "out"
    saved = {
        "save_configurations__save_checkpoints_switch": True,
        "save_configurations__save_checkpoints_path": str(out / "e{epoch:02d}-{val_loss:.4f}.h5"),
        "save_configurations__save_csv_switch": True,
        "save_configurations__save_csv_path": str(out / "history.csv"),
    }
    first = _train(server, 2, **saved)
    with (out / "history.csv").open() as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    names = {path.name for path in out.glob("*.keras")}
    assert f"e01-{losses[0]:.4f}.keras" in names
    last = max(out.glob("*.keras"))
    assert keras.models.load_model(last).output_shape == (None, 8, 8, 2)
    on = {"config_file__type_signal": "Train from Checkpoint"}
    by_path = _train(server, 4, **on, paths__load_checkpoint=str(last))
    by_job = _train(server, 4, **on, paths__load_checkpoint=f"job:{first['job']}")
    by_model = _train(server, 4, **on, paths__load_checkpoint=f"model:{first['model']}")
    assert by_job["metrics"] == by_model["metrics"]
    if last.name.startswith("e02"):
        assert by_path["metrics"] == by_job["metrics"]
    with Client(server.listen) as client:
        events = list(client.watch(by_job["job"]))
    warned = [event.warned.reason for event in events if event.HasField("warned")]
    assert "SETTING_CHANGED" in warned
    told = [
        event.epoch_finished.progress.epoch for event in events if event.HasField("epoch_finished")
    ]
    assert told == [2, 3, 4]
    refused = server.folder / "refused.json"
    changes = {**on, "paths__load_checkpoint": "job:nobody"}
    refused.write_text(config_text(server.folder, **changes))
    found = server.json("train", str(refused), code=3)["violations"]
    assert [row["reason"] for row in found] == ["CHECKPOINT_NOT_FOUND"]
