"""Machines find each other: all begin together, and none waits for ever or without listening."""

import socket
import threading
from collections.abc import Callable

import pytest

from dlae_core.errors import InvalidConfig, MachineLost, TrainingCancelled
from dlae_core.steps import Place
from dlae_core.steps.meeting import Waiting, meet, meet_as_chief

pytestmark = pytest.mark.keras

CLUSTER = '{"cluster": {"chief": ["a:1"], "worker": ["b:2", "c:3"]}, "task": %s}'


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _waiting(seconds: float = 20, cancelled: bool = False) -> Waiting:
    return Waiting(lambda: cancelled, seconds)


def _started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_machines_begin_when_all_are_there() -> None:
    port = _free_port()
    chief = _started(lambda: meet_as_chief(port, 2, _waiting()))
    # One that comes and goes again, before the last is there, does not count.
    while chief.is_alive():
        try:
            with socket.create_connection(("localhost", port)) as line:
                line.sendall(b"2\n")
        except OSError:
            continue
        break
    first = _started(lambda: meet(("localhost", port), 1, _waiting()))
    first.join(0.5)
    assert first.is_alive()
    assert chief.is_alive()
    meet(("localhost", port), 2, _waiting())
    for thread in (first, chief):
        thread.join(20)
        assert not thread.is_alive()


def test_nobody_waits_for_ever() -> None:
    with pytest.raises(MachineLost, match="found 2 of 3 missing"):
        meet_as_chief(_free_port(), 2, _waiting(0))
    with pytest.raises(MachineLost, match="the chief"):
        meet(("localhost", _free_port()), 1, _waiting(0))


def test_who_waits_can_be_stopped() -> None:
    with pytest.raises(TrainingCancelled):
        meet_as_chief(_free_port(), 2, _waiting(cancelled=True))
    with pytest.raises(TrainingCancelled):
        meet(("localhost", _free_port()), 1, _waiting(cancelled=True))


def test_a_port_that_is_taken_is_told_of() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineLost, match=f"port {port}"):
            meet_as_chief(port, 1, _waiting())


@pytest.mark.parametrize(("role", "index", "place"), [("chief", 0, 0), ("worker", 1, 2)])
def test_a_machine_knows_its_place(
    monkeypatch: pytest.MonkeyPatch, role: str, index: int, place: int
) -> None:
    task = f'{{"type": "{role}", "index": {index}}}'
    monkeypatch.setenv("TF_CONFIG", CLUSTER % task)
    assert Place.of_environment() == Place((("a", 1), ("b", 2), ("c", 3)), place)


@pytest.mark.parametrize("text", ["", '{"cluster": {"worker": ["a:1"]}, "task": %s}'])
def test_one_machine_is_not_several(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text.replace("%s", '{"type": "worker", "index": 0}'))
    assert Place.of_environment() is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
        CLUSTER % '{"type": "worker", "index": 2}',
    ],
)
def test_a_place_that_cannot_be_understood_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InvalidConfig, match="TF_CONFIG"):
        Place.of_environment()
