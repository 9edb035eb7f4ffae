"""Tasks of workers that train together."""

import pytest

pytest.importorskip("ray", reason="needs Ray: pip install -e '.[cluster]'")


def test_each_machine_knows_all_addresses_and_its_own_place_and_log() -> None:
    from dlae_server.executors.cluster.run import machine_task

    task = {"task": "train", "log": "/jobs/a/worker.log"}
    addresses = ["one:1", "two:2"]
    first, second = (machine_task(task, addresses, index) for index in (0, 1))
    assert first["machines"] == {
        "cluster": {"worker": addresses},
        "task": {"type": "worker", "index": 0},
    }
    assert second["machines"]["task"]["index"] == 1
    assert (first["log"], second["log"]) == ("/jobs/a/worker.log", "/jobs/a/worker-1.log")
    assert first["task"] == "train"
