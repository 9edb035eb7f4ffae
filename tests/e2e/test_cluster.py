"""Jobs on a Ray cluster of two nodes, which are killed: they end as those left alone."""

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from dlae_client import Client
from tests.dlae_server.processes import eventually
from tests.e2e.test_session import Server
from tests.ray_cluster import RayCluster, ray_cluster
from tests.sessions import config_text, write_bright_images

pytest.importorskip("ray", reason="needs Ray: pip install -e '.[cluster]'")
pytestmark = [pytest.mark.keras, pytest.mark.slow]

# Some seconds, of which more are left than a lost node takes to be missed.
EPOCHS = 150


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as started:
        started.start_head()
        yield started


@pytest.fixture(scope="module")
def server(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cluster")
    write_bright_images(folder)
    running = Server(folder, "--executor", "ray", "--ray-address", cluster.address)
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0


def _config(server: Server, **changes: Any) -> str:
    path = server.folder / "config.json"
    layers = [
        "Input:(8, 8, 1)",
        "Convolution 2D:8:(3, 3)",
        "Batch normalization",
        "Dropout:0.2",
        "Convolution 2D:2:(1, 1)",
        "Activation:softmax",
    ]
    changes = {"layers__serial_layer_list": layers, "augmentation__rounds": 4, **changes}
    path.write_text(config_text(server.folder, **changes))
    return str(path)


def _wait_for_epoch(server: Server, job: str, epoch: int) -> None:
    with Client(server.listen) as client:
        for event in client.watch(job):
            if event.epoch_finished.progress.epoch >= epoch:
                return
    raise AssertionError("the job has ended")


def _files(server: Server, model: str) -> dict[str, bytes]:
    folder = server.folder / "fetched" / model
    server.json("fetch", model, "-o", str(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _trained_on_a_new_node(server: Server, config: str) -> Any:
    """Trains as soon as the server knows of a node that has two cores."""
    done: list[subprocess.CompletedProcess[str]] = []

    def is_known() -> bool:
        done.append(server.run("train", config, "--name", "whole", "--cores", "2", "--json"))
        return "nodes of the cluster" not in done[-1].stderr

    eventually(is_known)
    assert done[-1].returncode == 0, done[-1].stderr
    return json.loads(done[-1].stdout)


def test_a_killed_node_and_a_killed_head_change_nothing(
    server: Server, cluster: RayCluster
) -> None:
    # The head has one core: these jobs run on the other node.
    config = _config(server, training_configurations__epochs=EPOCHS)
    node = cluster.start_node(cores=2)
    whole = _trained_on_a_new_node(server, config)["model"]
    job = server.json("train", config, "--name", "torn", "--cores", "2", "--detach")["job"]
    _wait_for_epoch(server, job, EPOCHS // 10)
    cluster.kill(node)
    with Client(server.listen) as client:
        eventually(lambda: client.status(job).run_seconds > 0, 40)
        # Now no node has two cores.
        cluster.stop()
        eventually(lambda: client.status(job).waits_for != "", 40)
        assert cluster.address in client.status(job).waits_for
    cluster.start_head()
    cluster.start_node(cores=2)
    assert server.run("watch", job).returncode == 0
    with Client(server.listen) as client:
        done = client.status(job)
        events = list(client.watch(job))
    assert (done.attempt >= 2, done.stalls, done.waits_for) == (True, 0, "")
    told = [event.state_changed.message for event in events if event.HasField("state_changed")]
    assert any("its node or its worker on the cluster was lost" in message for message in told)
    epochs = [event.epoch_finished for event in events if event.HasField("epoch_finished")]
    assert [one.progress.epoch for one in epochs] == list(range(1, EPOCHS + 1))
    expected, found = _files(server, whole), _files(server, done.model)
    for name in ("model.keras", "history.csv", "split.json"):
        assert found[name] == expected[name], name


def test_two_nodes_train_together(server: Server, cluster: RayCluster) -> None:
    # One core of each of the two nodes.
    config = _config(
        server,
        training_configurations__epochs=20,
        training_configurations__hardware="multi-gpu",
        training_configurations__number_of_gpus=1,
    )
    trained = server.json("train", config, "--name", "together", "--machines", "2")
    assert (trained["state"], trained["model"]) == ("SUCCEEDED", "together@1")
    folder = server.folder / "server" / "jobs" / trained["job"]
    assert (folder / "worker-1.log").is_file()
