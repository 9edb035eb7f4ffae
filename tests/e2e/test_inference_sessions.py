"""Sessions of inference the whole way through: real server, real command line, real files."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_client import Client
from dlae_core.data.source import SampleFile, write_samples
from tests.e2e.test_session import Server
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

MANY = 5_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("inference")
    write_bright_images(folder)
    running = Server(folder)
    config = folder / "train.json"
    config.write_text(config_text(folder))
    assert running.json("run", str(config), "--name", "tissue")["model"] == "tissue@1"
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0


def _session(server: Server, name: str, model: str, **sections: Any) -> Path:
    """Writes a session into a folder of its own."""
    folder = server.folder / name
    folder.mkdir()
    found = {
        "config_file": {"type_signal": "Inference"},
        "paths": {"load_model": model, "test_X": "../X.h5"},
        **sections,
    }
    path = folder / "case.json"
    path.write_text(json.dumps(found))
    return path


def _read(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


def test_a_session_gives_what_predict_does(server: Server) -> None:
    config = _session(server, "named", "tissue")
    checked = server.json("validate", str(config))
    assert (checked["valid"], checked["violations"], checked["warnings"]) == (True, [], [])
    told = server.json("run", str(config))
    path = config.parent / "predictions.h5"
    assert (told["state"], told["model"], told["path"]) == ("SUCCEEDED", "tissue@1", str(path))
    found = _read(path)
    with SampleFile(server.folder / "X.h5") as file, Client(server.listen) as client:
        images = np.stack([file.read(name) for name in file.names])
        expected = client.predict("tissue", images)
        assert set(found) == set(file.names)
        alike = np.stack([found[name] for name in file.names])
    np.testing.assert_allclose(alike, expected, atol=1e-6)


def test_the_network_of_a_model_alone_predicts_the_same_in_the_old_layout(server: Server) -> None:
    expected = _read(server.folder / "named" / "predictions.h5")
    network = server.folder / "fetched.keras"
    server.json("fetch", "tissue", "-o", str(network))
    # The file alone knows neither family nor preparation.
    config = _session(
        server,
        "file",
        str(network),
        config_file={"type_signal": "Inference", "model_signal": "FCN"},
        save_configurations={"legacy_predictions_switch": "True"},
    )
    told = server.json("run", str(config))
    path = Path(told["path"])
    assert path.name.startswith("fcn_predictions_date_")
    found = _read(path)
    for name, output in zip(found["names"], found["predictions"], strict=True):
        np.testing.assert_allclose(output, expected[name.decode()], atol=1e-5)
    with Client(server.listen) as client:
        warned = [event.warned.reason for event in client.watch(told["job"])]
    assert "MODEL_TAKEN" in warned


def test_networks_of_the_clients_machine_are_uploaded_like_data(
    server: Server, tmp_path: Path
) -> None:
    network, images = tmp_path / "own.keras", tmp_path / "X.h5"
    server.json("fetch", "tissue", "-o", str(network))
    images.write_bytes((server.folder / "X.h5").read_bytes())
    config = tmp_path / "case.json"
    predicting = {"type_signal": "Inference", "model_signal": "FCN"}
    paths = {"load_model": "own.keras", "test_X": "X.h5"}
    config.write_text(json.dumps({"config_file": predicting, "paths": paths}))
    assert server.json("run", str(config), "--no-upload", code=3)["violations"]
    server.json("run", str(config))
    found, expected = (
        _read(folder / "predictions.h5") for folder in (tmp_path, server.folder / "named")
    )
    for name, output in expected.items():
        np.testing.assert_allclose(found[name], output, atol=1e-5)
    kinds = [row["kind"] for row in server.json("datasets", "list")["datasets"]]
    assert sorted(kinds) == ["network", "samples"]
    # The same file begins a training, and is not sent again.
    sections = json.loads(config_text(server.folder))
    sections["config_file"]["type_signal"] = "Train from Checkpoint"
    sections["paths"] |= {"load_checkpoint": "own.keras"}
    config.write_text(json.dumps(sections))
    job = server.json("train", str(config), "--name", "continued")["job"]
    with Client(server.listen) as client:
        warned = [event.warned.reason for event in client.watch(job)]
    assert "WEIGHTS_TAKEN" in warned
    # The folder of a model is none, and refused where the server cannot read it.
    server.json("fetch", "tissue", "-o", str(tmp_path / "bundle"))
    config.write_text(
        json.dumps({"config_file": predicting, "paths": {**paths, "load_model": "bundle"}})
    )
    told = server.json("validate", str(config), code=2)["error"]
    assert (told["reason"], "models import" in told["message"]) == ("MODEL_NOT_READABLE", True)


def test_all_that_is_wrong_is_told_at_once(server: Server) -> None:
    write_samples(server.folder / "small.h5", [("0", np.zeros((4, 4, 1), np.float32))])
    config = _session(
        server, "wrong", "nobody", paths={"load_model": "nobody", "test_X": "../none.h5"}
    )
    told = server.json("run", str(config), code=3)
    assert {row["path"]: row["reason"] for row in told["violations"]} == {
        "paths.test_X": "DATASET_NOT_FOUND",
        "paths.load_model": "MODEL_NOT_FOUND",
    }
    text = config.read_text().replace("none.h5", "small.h5")
    config.write_text(text.replace("nobody", "tissue"))
    told = server.json("validate", str(config), code=3)
    assert [row["path"] for row in told["violations"]] == ["paths.test_X"]
    assert "sample '0'" in told["violations"][0]["message"]


def _wait_for_samples(server: Server, job: str, after: int = 0) -> int:
    with Client(server.listen) as client:
        for event in client.watch(job, after):
            if event.HasField("samples_predicted"):
                return event.sequence
    raise AssertionError("the job has ended")


def _worker_of(server: Server, job: str) -> int:
    """Returns the process that predicts: of several workers, the one that writes the job's log."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    for child in children.read_text().split():
        if job in os.readlink(f"/proc/{child}/fd/2"):
            return int(child)
    raise AssertionError("nobody predicts")


def test_a_killed_worker_and_a_killed_server_leave_no_half_file(server: Server) -> None:
    with SampleFile(server.folder / "X.h5") as file:
        images = [file.read(name) for name in file.names]
    many = ((str(at), images[at % len(images)]) for at in range(MANY))
    write_samples(server.folder / "many.h5", many)
    config = _session(
        server,
        "long",
        "tissue",
        paths={"load_model": "tissue", "test_X": "../many.h5"},
        training_configurations={"batch_size": 1},
    )
    job = server.json("run", str(config), "--detach")["job"]
    sequence = _wait_for_samples(server, job)
    os.kill(_worker_of(server, job), signal.SIGKILL)
    with Client(server.listen) as client:
        for event in client.watch(job, sequence):
            sequence = event.sequence
            if event.HasField("inference_started"):
                break
    _wait_for_samples(server, job, sequence)
    server.kill()
    server.start()
    assert server.run("watch", job).returncode == 0
    output = server.folder / "long" / "later.h5"
    server.json("fetch", f"job:{job}", "-o", str(output))
    found = _read(output)
    assert len(found) == MANY
    expected = _read(server.folder / "named" / "predictions.h5")
    for at in (0, 1, MANY // 2, MANY - 1):
        np.testing.assert_allclose(found[str(at)], expected[str(at % len(images))], atol=1e-6)
    with Client(server.listen) as client:
        done = client.status(job)
    assert (done.attempt, done.stalls, done.samples_done) == (3, 0, MANY)
    left = {path.name for path in (server.folder / "server" / "jobs" / job).iterdir()}
    assert left == {"results", "worker.log"}
