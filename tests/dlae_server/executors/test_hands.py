"""What a node does with a worker."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlae_server.executors.cluster import hands
from dlae_server.executors.cluster.hands import Hands
from dlae_server.executors.cluster.needs import Needs, Share

STOPS = "print('{\"event\": 1}', flush=True); input(); input(); print('{\"cancelled\": true}')"


def _run(one: Hands, folder: Path, program: str, gpus: int = 0) -> list[dict[str, Any]]:
    task = {"log": str(folder / "worker.log")}
    share = Share(Needs(1, gpus)).as_values()
    command = ["", "-S", "-c", program]
    order = {"command": command, "task": task, "environment": {}, "share": share}
    return [line for line in _sent(one.run(order)) if "usage" not in line]


def _sent(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields what a generator yields to Ray, which sends it something each time."""
    assert isinstance(lines, Generator)
    yield next(lines)
    with suppress(StopIteration):
        while True:
            yield lines.send(0)


def test_lines_come_as_they_are_told_and_the_end_last(tmp_path: Path) -> None:
    program = "import sys; print('{\"a\": 1}'); sys.stdout.write('{\"b')"
    began, first, end = _run(Hands(), tmp_path, program)
    assert list(began) == ["began"]
    assert first == {"message": {"a": 1}}
    # It died in mid-sentence.
    assert end == {"end": "its process ended early", "verdict": None}


def test_a_request_to_stop_that_comes_before_the_worker_is_kept(tmp_path: Path) -> None:
    one = Hands()
    one.cancel()
    lines = _run(one, tmp_path, STOPS)
    assert {"message": {"cancelled": True}} in lines


def test_a_worker_that_is_killed_is_said_to_be(tmp_path: Path) -> None:
    one = Hands()
    threading.Timer(0.3, one.kill).start()
    assert "killed" in _run(one, tmp_path, "import time; time.sleep(60)")[-1]["end"]


def test_a_worker_that_nobody_asks_about_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(hands, "LOOK_SECONDS", 0.05)
    start = time.monotonic()
    assert "killed" in _run(Hands(), tmp_path, "import time; time.sleep(60)")[-1]["end"]
    assert time.monotonic() - start < 10


def test_a_folder_that_is_not_shared_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "FOLDER_SECONDS", 0)
    lines = _run(Hands(), tmp_path / "elsewhere", "")
    failure = lines[1]["message"]["failure"]
    assert failure["reason"] == "FOLDER_NOT_SHARED"
    assert str(tmp_path / "elsewhere") in failure["message"]


def test_a_worker_uses_the_gpus_of_its_actor_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import json; print(json.dumps(json.loads(input())['devices']))"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    for gpus, expected in ((2, ["1", "3"]), (0, [])):
        lines = _run(Hands(), tmp_path, program, gpus)
        assert lines[1]["message"] == {"cores": [], "gpus": expected}
