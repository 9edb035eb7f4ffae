"""What a job takes of a cluster, and what fits in."""

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.executors.cluster.needs import Capacity, Needs, Share, needs_of

GIB = float(1 << 30)
CPU = '{"training_configurations": {"hardware": "cpu"}}'
GPU = '{"training_configurations": {"hardware": "gpu"}}'


def test_a_job_takes_what_it_asks_for_or_one_gpu_and_the_cores_of_the_settings() -> None:
    asked = pb.JobOptions(cores=3, gpus=2, memory_limit_bytes=1 << 30)
    assert needs_of(asked, CPU, 1, False) == Needs(3, 2, GIB)
    assert needs_of(pb.JobOptions(), GPU, 2, True) == Needs(2, 1, 0)
    assert needs_of(pb.JobOptions(), CPU, 2, True) == Needs(2, 0, 0)
    assert needs_of(pb.JobOptions(), GPU, 2, False) == Needs(2, 0, 0)


@pytest.mark.parametrize(
    ("needs", "nodes"),
    [(Needs(4), 2), (Needs(5), 1), (Needs(1, 1), 1), (Needs(9), 0), (Needs(1, 0, 65 * GIB), 1)],
)
def test_a_node_must_have_all_of_it(needs: Needs, nodes: int) -> None:
    capacity = Capacity((Needs(8, 0, 128 * GIB), Needs(4, 1, 64 * GIB)))
    assert capacity.nodes_for(needs) == nodes


def test_there_is_room_for_what_neither_we_nor_others_use() -> None:
    capacity = Capacity((Needs(8), Needs(4)), foreign=Needs(2))
    taken = [Share(Needs(3), 2).whole, Needs(2)]
    assert capacity.has_room_for(Needs(2), taken)
    assert not capacity.has_room_for(Needs(3), taken)
    assert not capacity.has_room_for(Needs(1, 1), [])


def test_reports_and_shares_survive_being_written_as_json() -> None:
    share = Share(Needs(2, 1, GIB), 3)
    assert Share.of(share.as_values()) == share
    nodes = (Needs(1, 0, 2), Needs(3, 4, 5))
    values = {"nodes": [node.as_values() for node in nodes], "foreign": Needs(1).as_values()}
    assert Capacity.of(values) == Capacity(nodes, Needs(1))
