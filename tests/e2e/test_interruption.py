"""A job that is killed, paused and brought back from a backup ends as one left alone."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlae.v1.training_pb2 import Job
from dlae_client import Client
from dlae_server.upkeep.backup import back_up, restore
from tests.e2e.test_session import Server
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

EPOCHS = 90


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_bright_images(tmp_path)
    running = Server(tmp_path)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0


def _worker_of(server: Server, job: str) -> int:
    """Returns the process that trains: of several workers, the one that writes the job's log."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    for child in children.read_text().split():
        if job in os.readlink(f"/proc/{child}/fd/2"):
            return int(child)
    raise AssertionError("nobody trains")


def _wait_for_epoch(server: Server, job: str, epoch: int) -> None:
    with Client(server.listen) as client:
        for event in client.watch(job):
            if event.epoch_finished.progress.epoch >= epoch:
                return
    raise AssertionError("the job has ended")


def _pause_and_resume(server: Server, job: str) -> None:
    """Has a job go on in a server that is brought back from a backup."""
    server.json("jobs", "pause", job)
    with Client(server.listen) as client:
        for event in client.watch(job):
            if event.state_changed.state == Job.STATE_PAUSED:
                break
        assert client.status(job).run_seconds > 0
    place = server.folder / "server"
    back_up(place, server.folder / "copy")
    server.kill()
    place.rename(server.folder / "lost")
    restore(server.folder / "copy", place)
    server.start()
    server.json("jobs", "resume", job)


def _files(server: Server, model: str) -> dict[str, bytes]:
    folder = server.folder / "fetched" / model
    server.json("fetch", model, "-o", str(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_worker_a_killed_server_and_a_backup_brought_back_change_nothing(
    server: Server,
) -> None:
    config = server.folder / "config.json"
    config.write_text(
        config_text(
            server.folder,
            training_configurations__epochs=EPOCHS,
            augmentation__rounds=4,
            augmentation__apply_augmentation_switch=True,
            augmentation__horizontal_flip_switch=True,
            layers__serial_layer_list=[
                "Input:(8, 8, 1)",
                "Convolution 2D:8:(3, 3)",
                "Batch normalization",
                "Dropout:0.2",
                "Convolution 2D:2:(1, 1)",
                "Activation:softmax",
            ],
        )
    )
    whole = server.json("train", str(config), "--name", "whole")["model"]
    job = server.json("train", str(config), "--name", "torn", "--detach")["job"]
    _wait_for_epoch(server, job, EPOCHS // 5)
    os.kill(_worker_of(server, job), signal.SIGKILL)
    _wait_for_epoch(server, job, EPOCHS // 2)
    server.kill()
    server.start()
    _wait_for_epoch(server, job, EPOCHS * 2 // 3)
    _pause_and_resume(server, job)
    assert server.run("watch", job).returncode == 0
    with Client(server.listen) as client:
        done = client.status(job)
        events = list(client.watch(job))
    assert (done.attempt, done.stalls) == (4, 0)
    assert done.steps_done == EPOCHS * 12
    resumed = [event.resumed.progress.epoch for event in events if event.HasField("resumed")]
    assert len(resumed) == 3
    # An epoch is told before its checkpoint is on the disk: how many are lost is chance.
    assert 0 < resumed[0] <= resumed[1] <= resumed[2]
    epochs = [event.epoch_finished for event in events if event.HasField("epoch_finished")]
    assert [one.progress.epoch for one in epochs] == list(range(1, EPOCHS + 1))
    expected, found = _files(server, whole), _files(server, done.model)
    for name in ("model.keras", "history.csv", "split.json"):
        assert found[name] == expected[name], name
    assert (server.folder / "server" / "jobs" / job / "checkpoint.dlae").is_file()
