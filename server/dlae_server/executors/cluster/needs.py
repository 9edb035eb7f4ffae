"""What a job takes of a cluster, and whether there is enough."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from dlae.v1 import training_pb2 as pb


@dataclass(frozen=True)
class Needs:
    """What a job takes, or a node has.

    Attributes:
        cores: CPU cores.
        gpus: GPUs.
        memory_bytes: Memory.
    """

    cores: float = 0
    gpus: float = 0
    memory_bytes: float = 0

    def __add__(self, other: "Needs") -> "Needs":
        return Needs(
            self.cores + other.cores,
            self.gpus + other.gpus,
            self.memory_bytes + other.memory_bytes,
        )

    def fit(self, there: "Needs") -> bool:
        """Returns whether there is as much of everything."""
        return (
            self.cores <= there.cores
            and self.gpus <= there.gpus
            and self.memory_bytes <= there.memory_bytes
        )

    def times(self, number: int) -> "Needs":
        """Returns what so many of it take."""
        return Needs(self.cores * number, self.gpus * number, self.memory_bytes * number)

    def as_values(self) -> dict[str, float]:
        """Returns it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Share:
    """What a job takes of a cluster.

    Attributes:
        needs: Of each machine.
        machines: Nodes that it takes that of.
    """

    needs: Needs
    machines: int = 1

    @property
    def whole(self) -> Needs:
        """What it takes in all."""
        return self.needs.times(self.machines)

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Share":
        """Returns the share that JSON values give."""
        return cls(Needs(**values["needs"]), values["machines"])

    def as_values(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Capacity:
    """What a cluster has.

    Attributes:
        nodes: What each node has.
        foreign: What others than this server's jobs use of it.
    """

    nodes: tuple[Needs, ...]
    foreign: Needs = Needs()

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Capacity":
        """Returns what the driver reports."""
        nodes = tuple(Needs(**node) for node in values["nodes"])
        return cls(nodes, Needs(**values["foreign"]))

    def __str__(self) -> str:
        nodes = self.nodes or (Needs(),)
        return (
            f"the most of any of {len(self.nodes)} nodes is cores={max(n.cores for n in nodes):g}, "
            f"gpus={max(n.gpus for n in nodes):g}, "
            f"memory_bytes={max(n.memory_bytes for n in nodes):.0f}"
        )

    def nodes_for(self, needs: Needs) -> int:
        """Returns how many nodes could hold it, were they empty."""
        return sum(needs.fit(node) for node in self.nodes)

    def meets(self, options: pb.JobOptions) -> bool:
        """Returns whether a job could have what it asks for, were the cluster empty."""
        asked = Needs(options.cores, options.gpus, options.memory_limit_bytes)
        return self.nodes_for(asked) >= max(options.machines, 1)

    def has_room_for(self, needs: Needs, taken: Iterable[Needs]) -> bool:
        """Returns whether it fits in beside what is taken."""
        used = sum(taken, self.foreign)
        return (used + needs).fit(sum(self.nodes, Needs()))


def needs_of(options: pb.JobOptions, config: str, cores: int, has_gpus: bool) -> Needs:
    """Returns what a job takes.

    Args:
        options: What was asked for.
        config: A job whose hardware is not `cpu` takes a GPU where it asks for none.
        cores: Those of a job that asks for none.
        has_gpus: Whether the cluster has any GPU.
    """
    gpus = options.gpus or int(has_gpus and hardware_of(config) != "cpu")
    return Needs(options.cores or cores, gpus, options.memory_limit_bytes)


def hardware_of(config: str) -> str:
    """Returns what a configuration says of the hardware to train on."""
    return str(json.loads(config).get("training_configurations", {}).get("hardware", ""))
