"""The whole way through: the real server, the real command line, real files."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_client import Client, NotFound
from dlae_core.data.source import SampleFile, write_samples
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]


class Server:
    """A server process on free ports, started and killed at will."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.listen = "127.0.0.1:0"
        self._options = options
        self.start()

    def start(self) -> None:
        """Starts the server, on its old port where it had one."""
        card = self.folder / "server" / "server.json"
        card.unlink(missing_ok=True)
        command = [sys.executable, "-m", "dlae_server.main", "--metrics-port", "0"]
        command += ["--listen", self.listen, "--data-root", str(self.folder)]
        command += ["--data-dir", str(self.folder / "server"), *self._options]
        self.log = self.folder / "server.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not card.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.facts = json.loads(card.read_text())
        self.listen = self.facts["listen"]

    def kill(self) -> None:
        """Kills the server without a chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command; no output ever holds a traceback."""
        command = [sys.executable, "-m", "dlae_client.cli.main", "--server", self.listen]
        environment = {**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:dlae_client"}
        done = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Runs a command with --json; returns its one document."""
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("session")
    write_bright_images(folder)
    running = Server(folder)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0
    assert not (folder / "server" / "server.json").exists()


def _config(server: Server, name: str, **changes: Any) -> str:
    path = server.folder / name
    path.write_text(config_text(server.folder, **changes))
    return str(path)


def _damaged(server: Server, name: str) -> Path:
    """Returns a folder with a fresh copy of the data, to be damaged."""
    folder = server.folder / name
    folder.mkdir()
    write_bright_images(folder)
    return folder


def test_a_configuration_becomes_a_model_that_predicts(server: Server) -> None:
    config = _config(server, "good.json", training_configurations__epochs=30)
    checked = server.json("validate", config)
    assert checked["valid"]
    assert checked["graphs"][0]["output_shape"] == [8, 8, 2]
    trained = server.json("train", config, "--name", "tissue")
    assert (trained["state"], trained["model"]) == ("SUCCEEDED", "tissue@1")
    assert server.json("status", trained["job"])["metrics"] == trained["metrics"]
    output = server.folder / "predictions.h5"
    images = str(server.folder / "X.h5")
    told = server.json("predict", "tissue", images, "-o", str(output), "--labels")
    assert told["samples"] == 16
    with SampleFile(output) as predicted, SampleFile(server.folder / "masks.h5") as truth:
        assert predicted.names == truth.names
        found = np.stack([predicted.read(name) for name in truth.names])
        expected = np.stack([truth.read(name) for name in truth.names])
    assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) > 0.9


def test_the_fetched_model_is_plain_keras_and_predicts_the_same(server: Server) -> None:
    path = server.folder / "fetched" / "tissue.keras"
    path.parent.mkdir()
    server.json("fetch", "tissue", "-o", str(path))
    with SampleFile(server.folder / "X.h5") as file:
        image = np.stack([file.read(name) for name in file.names[:4]])
    low, high = (extreme((1, 2, 3), keepdims=True) for extreme in (image.min, image.max))
    np.save(server.folder / "image.npy", (image - low) / (high - low))
    program = (
        "import sys\n"
        "ours = ('dlae', 'dlae_core', 'dlae_client', 'dlae_server')\n"
        "sys.modules.update(dict.fromkeys(ours))\n"
        "import keras, numpy\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "numpy.save(sys.argv[3], model(numpy.load(sys.argv[2])))\n"
    )
    files = [path, server.folder / "image.npy", server.folder / "plain.npy"]
    subprocess.run([sys.executable, "-c", program, *map(str, files)], check=True)
    with Client(server.listen) as client:
        ours = client.predict("tissue", image)
        streamed = client.predict("tissue", np.repeat(image, 2000, axis=0))
    np.testing.assert_allclose(ours, np.load(files[2]), atol=1e-5)
    np.testing.assert_allclose(streamed[::2000], ours, atol=1e-5)
    refused = server.run("fetch", "tissue", "-o", str(path))
    assert refused.returncode == 1
    assert "exists already" in refused.stderr


def test_all_of_seven_mistakes_are_named(server: Server) -> None:
    config = _config(
        server,
        "seven.json",
        optimizer__optimizer="Adan",
        learning_rate_schedule__learning_rate=-1,
        preprocessing__normalization_type="unity",
        augmentation__zoom=0.1,
        training_configurations__epochs="many",
        paths__train_y=str(server.folder / "missing.h5"),
        layers__serial_layer_list=["Input:(8, 8, 1)", "Convolution 2D:2:(3, 3, 3)"],
    )
    expected = {
        "optimizer.optimizer": "NOT_ALLOWED",
        "learning_rate_schedule.learning_rate": "OUT_OF_RANGE",
        "preprocessing.normalization_type": "NOT_ALLOWED",
        "augmentation.zoom": "UNKNOWN_KEY",
        "training_configurations.epochs": "INVALID_VALUE",
        "paths.train_y": "DATASET_NOT_FOUND",
        "layers.serial_layer_list[1].kernel": "WRONG_LENGTH",
    }
    for command in ("validate", "train"):
        told = server.json(command, config, code=3)
        assert {row["path"]: row["reason"] for row in told["violations"]} == expected
        assert all(row["message"] for row in told["violations"])


def _unpaired(folder: Path) -> None:
    write_samples(folder / "masks.h5", [("99", np.zeros((8, 8), np.uint8))])


def _rewritten(file: str, change: Any) -> Any:
    def damage(folder: Path) -> None:
        with SampleFile(folder / file) as samples:
            kept = {name: samples.read(name) for name in samples.names}
        write_samples(folder / file, {**kept, "15": change(kept["15"])}.items())

    return damage


def _truncated(folder: Path) -> None:
    path = folder / "X.h5"
    path.write_bytes(path.read_bytes()[:-2000])


def _grouped(folder: Path) -> None:
    with h5py.File(folder / "X.h5", "a") as file:
        file.create_group("16")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_unpaired, "do not pair"),
        (_rewritten("masks.h5", lambda mask: mask + 5), "class numbers from 0 to 1"),
        (_rewritten("X.h5", lambda image: image[:5]), "got (5, 8, 1)"),
        (_rewritten("X.h5", lambda image: image * np.nan), "NaN"),
        (_truncated, "truncated"),
        (_grouped, "group"),
    ],
    ids=["unpaired", "label", "shape", "nan", "truncated", "group"],
)
def test_unusable_data_fail_the_job_with_a_sentence(
    server: Server, damage: Any, words: str, request: pytest.FixtureRequest
) -> None:
    folder = _damaged(server, request.node.callspec.id)
    damage(folder)
    config = folder / "config.json"
    config.write_text(config_text(folder))
    told = server.json("train", str(config), code=7)
    assert told["state"] == "FAILED"
    assert told["error"]["reason"] == "UNUSABLE_DATASET"
    assert words in told["error"]["message"]


def test_a_diverging_loss_is_told_with_its_step(server: Server) -> None:
    config = _config(
        server,
        "diverges.json",
        family="CNN",
        paths__train_y=str(server.folder / "centers.h5"),
        preprocessing__categorical_switch=False,
        loss_function__loss="mean_squared_error",
        optimizer__optimizer="SGD",
        learning_rate_schedule__learning_rate=1e30,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Flatten", "Dense:1"],
    )
    told = server.json("train", config, code=7)
    assert told["error"]["reason"] == "TRAINING_DIVERGED"
    assert "step" in told["error"]["message"]


def test_what_does_not_exist_is_told_with_its_exit_code(server: Server) -> None:
    images = str(server.folder / "X.h5")
    output = str(server.folder / "never.h5")
    assert server.json("predict", "nobody", images, "-o", output, code=4)["error"]
    assert server.json("status", "nobody", code=4)["error"]["reason"] == "JOB_NOT_FOUND"
    assert server.run("train", "/nowhere/config.json").returncode == 1
    assert not Path(output).exists()
    done = server.run("--server", "127.0.0.1:1", "status")
    with Client(server.listen) as client, pytest.raises(NotFound):
        client.model("tissue@99")
    assert done.returncode in (0, 6)


def test_nobody_listening_is_one_sentence_and_exit_6(server: Server) -> None:
    command = [sys.executable, "-m", "dlae_client.cli.main", "status", "--server", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert done.stderr.startswith("error: no DLAE server answers at 127.0.0.1:1; start one")
    assert done.stderr.count("\n") == 1


def test_wrong_images_are_refused_by_the_model(server: Server) -> None:
    write_samples(server.folder / "small.h5", [("0", np.zeros((4, 4, 1), np.float32))])
    images = str(server.folder / "small.h5")
    told = server.json("predict", "tissue", images, "-o", str(server.folder / "o.h5"), code=2)
    assert told["error"]["reason"] == "INVALID_IMAGE"
    assert "(batch, 8, 8, 1)" in told["error"]["message"]


def test_metrics_tell_of_jobs_training_and_predictions(server: Server) -> None:
    address = f"http://127.0.0.1:{server.facts['metrics_port']}/metrics"
    with urllib.request.urlopen(address) as page:
        text = page.read().decode()
    for line in (
        'dlae_jobs{kind="train",state="succeeded"} 1.0',
        'dlae_inference_requests_total{code="OK",model="tissue",version="1"}',
        'grpc_code="OK",grpc_method="Predict",grpc_service="dlae.v1.PredictionService"',
        "dlae_train_steps_total",
        "grpc_server_handling_seconds_bucket",
    ):
        assert line in text
    assert "dlae_train_metric{" not in text


def test_a_killed_server_tells_the_truth_when_it_is_back(server: Server) -> None:
    config = _config(server, "long.json", training_configurations__epochs=5000)
    job = server.json("train", config, "--detach")["job"]
    with Client(server.listen) as client:
        for event in client.watch(job):
            if event.WhichOneof("kind") == "epoch_finished":
                break
    server.kill()
    assert server.run("status", job).returncode == 6
    server.start()
    told = server.json("status", job)
    assert told["state"] in ("QUEUED", "RUNNING")
    with Client(server.listen) as client:
        messages = []
        for event in client.watch(job):
            messages.append(event.state_changed.message)
            if event.WhichOneof("kind") == "epoch_finished" and event.sequence > 10:
                break
        assert any("goes on from its last checkpoint" in message for message in messages)
        assert client.status(job).attempt == 2
    assert server.json("cancel", job)["state"] == "CANCELLING"
    assert server.run("watch", job).returncode == 8
    assert server.json("status", job)["state"] == "CANCELLED"
    assert server.run("cancel", job).returncode == 1


def test_the_log_names_requests_and_no_data(server: Server) -> None:
    text = server.log.read_text()
    assert "TrainingService/Train OK" in text
    assert str(server.folder / "X.h5") not in text
