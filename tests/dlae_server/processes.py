"""Server processes with fake workers, and what tests ask of them."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.v1 import training_pb2 as pb
from dlae.v1.models_pb2_grpc import ModelServiceStub
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from tests.sessions import config_text

FAKES = Path(__file__).with_name("fakes.py")


class ServerProcess:
    """A server in a process of its own, with data files in `folder/data`."""

    def __init__(self, folder: Path) -> None:
        self.data_dir, self.data = folder / "server", folder / "data"
        self.data.mkdir(exist_ok=True)
        for name in ("X.h5", "masks.h5", "classes.h5"):
            (self.data / name).touch()
        self.behave("succeed")
        self.start()

    def behave(self, behaviour: str) -> None:
        """Says what trainings do from now on."""
        temporary = self.data / "behaviour.writing"
        temporary.write_text(behaviour)
        temporary.replace(self.data / "behaviour")

    def start(self) -> None:
        """Starts the server and connects."""
        card = self.data_dir / "server.json"
        card.unlink(missing_ok=True)
        self.log = self.data.parent / "server.log"
        command = [sys.executable, FAKES, "server", self.data_dir, self.data]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: card.exists() or self.process.poll() is not None)
        assert card.exists(), self.log.read_text()
        self.facts = json.loads(card.read_text())
        self.channel = grpc.insecure_channel(self.facts["listen"])
        self.training = TrainingServiceStub(self.channel)
        self.prediction = PredictionServiceStub(self.channel)
        self.models = ModelServiceStub(self.channel)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the server; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self.channel.close()
        return code

    def source(self, **changes: object) -> pb.ConfigSource:
        """Returns a configuration that the server accepts, but for the changes."""
        return pb.ConfigSource(json=config_text(self.data, **changes))

    def train(self, name: str = "m") -> pb.Job:
        """Submits a job."""
        return self.training.Train(pb.TrainRequest(config=self.source(), name=name)).job

    def job(self, job_id: str) -> pb.Job:
        """Returns a job as it is now."""
        return self.training.Status(pb.StatusRequest(job_id=job_id)).job

    def events(self, job_id: str, after: int = 0) -> list[pb.JobEvent]:
        """Watches a job to its end."""
        stream = self.training.Watch(pb.WatchRequest(job_id=job_id, after_sequence=after))
        return [response.event for response in stream if response.HasField("event")]

    def trained(self, name: str) -> pb.Job:
        """Trains a model and returns its job."""
        self.behave("succeed")
        job = self.train(name)
        self.events(job.id)
        return self.job(job.id)

    def waits(self, job_id: str) -> None:
        """Returns when a job has ended its first epoch and waits."""
        eventually(lambda: "val_loss" in self.job(job_id).metrics)

    def metrics(self) -> str:
        """Returns the page of metrics."""
        url = f"http://127.0.0.1:{self.facts['metrics_port']}/metrics"
        with urllib.request.urlopen(url) as page:
            return str(page.read().decode())

    def sample(self, name: str) -> float:
        """Returns a metric's value; 0 where there is none. The name includes the labels."""
        lines = (line.rsplit(" ", 1) for line in self.metrics().splitlines())
        return next((float(line[1]) for line in lines if line[0] == name), 0.0)


@contextmanager
def killable(folder: Path) -> Iterator[ServerProcess]:
    """Runs a server that whoever uses it may end."""
    process = ServerProcess(folder)
    yield process
    if process.process.poll() is None:
        process.stop()


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when a condition holds; fails where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reason_of(error: grpc.RpcError) -> str:
    """Returns the reason in a failed call's details."""
    status = rpc_status.from_call(error)
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "dlae.dev"
    return info.reason


def states(events: list[pb.JobEvent]) -> list[str]:
    """Returns the states that events tell of."""
    changes = [event.state_changed.state for event in events if event.HasField("state_changed")]
    return [pb.Job.State.Name(state).removeprefix("STATE_") for state in changes]
