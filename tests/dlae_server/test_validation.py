"""Validations: what is answered, and the worker that waits for the next one."""

import signal
from pathlib import Path

import pytest

from dlae.v1 import training_pb2 as pb
from tests.dlae_server.processes import ServerProcess, eventually

pytestmark = pytest.mark.slow  # starts servers


def _validated(server: ServerProcess) -> pb.ValidateResponse:
    return server.training.Validate(pb.ValidateRequest(config=server.source()))


def _workers(server: ServerProcess) -> set[int]:
    pid = server.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_estimates_and_the_connections_of_layers_are_answered(server: ServerProcess) -> None:
    answer = _validated(server)
    assert (answer.memory_bytes, answer.seconds_per_step) == (1 << 33, 0.25)
    assert [list(layer.inputs) for layer in answer.graphs[0].layers] == [[], [0]]


def test_a_configuration_with_mistakes_has_no_estimate(server: ServerProcess) -> None:
    source = server.source(training_configurations__epochs=-1)
    answer = server.training.Validate(pb.ValidateRequest(config=source))
    assert (answer.valid, answer.memory_bytes, answer.seconds_per_step) == (False, 0, 0.0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_after_a_validation_one_worker_waits_and_ends_with_the_server(
    own_server: ServerProcess, number: signal.Signals
) -> None:
    assert _workers(own_server) == set()
    for _ in range(2):
        assert _validated(own_server).valid
        eventually(lambda: len(_workers(own_server)) == 1)
    (worker,) = _workers(own_server)
    assert _lives(worker)
    own_server.stop(number)
    eventually(lambda: not _lives(worker))
