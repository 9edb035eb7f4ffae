"""Which cores and GPUs a job gets while others run beside it."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest
from dlae_server.settings import Settings

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Lease:
    """What a job may use.

    Attributes:
        cores: Numbers of cores; none: all.
        gpus: Names of GPUs as CUDA knows them; None: all that there are.
    """

    cores: tuple[int, ...] = ()
    gpus: tuple[str, ...] | None = None

    def as_values(self) -> dict[str, list[int] | list[str] | None]:
        """Returns it as JSON values, for a worker."""
        return {"cores": list(self.cores), "gpus": None if self.gpus is None else list(self.gpus)}


@dataclass
class Devices:
    """Cores and GPUs of this machine, lent to jobs.

    Where one job runs at a time it has all of them, or as many as it asks for. Where several may,
    each has its share of the cores and one GPU, if there are any and its configuration does not
    say `cpu`; or as many as it asks for.
    """

    settings: Settings
    _leases: dict[str, Lease] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Looks at the machine."""
        self.cores = _cores()
        self.gpus = _gpus() if self.settings.gpus is None else self.settings.gpus

    @property
    def is_full(self) -> bool:
        """Whether as many jobs run as may."""
        return len(self._leases) >= self.settings.running_jobs

    def check(self, options: pb.JobOptions) -> None:
        """Refuses what will never be free.

        Raises:
            InvalidRequest: More is asked for than there is.
        """
        for name, there in (("cores", len(self.cores)), ("gpus", len(self.gpus))):
            if getattr(options, name) > there:
                raise InvalidRequest(
                    f"expected options.{name} of at most {there}, as many as the server has, got "
                    f"{getattr(options, name)}"
                )

    def take(self, job_id: str, options: pb.JobOptions, config: str) -> Lease | None:
        """Lends a job what it needs; returns None where that is not free."""
        if self.is_full:
            return None
        lease = self._whole(options) if self.settings.running_jobs == 1 else None
        lease = lease or self._part(options, config)
        if lease:
            self._leases[job_id] = lease
        return lease

    def lease(self, job_id: str) -> Lease:
        """Returns what a job has."""
        return self._leases[job_id]

    def give_back(self, job_id: str) -> None:
        """Takes back what a job had."""
        self._leases.pop(job_id, None)

    def _whole(self, options: pb.JobOptions) -> Lease:
        gpus = self.gpus[: options.gpus] if options.gpus else None
        return Lease(self.cores[: options.cores] if options.cores else (), gpus)

    def _part(self, options: pb.JobOptions, config: str) -> Lease | None:
        leases = self._leases.values()
        used = {core for lease in leases for core in lease.cores}
        busy = {gpu for lease in leases for gpu in lease.gpus or ()}
        cores = [core for core in self.cores if core not in used]
        gpus = [gpu for gpu in self.gpus if gpu not in busy]
        share = max(len(self.cores) // self.settings.running_jobs, 1)
        wanted = options.cores or share
        wants_gpu = bool(self.gpus) and _hardware(config) != "cpu"
        wanted_gpus = options.gpus or int(wants_gpu)
        if len(cores) < wanted or len(gpus) < wanted_gpus:
            return None
        return Lease(tuple(cores[:wanted]), tuple(gpus[:wanted_gpus]))


def _hardware(config: str) -> str:
    section = json.loads(config).get("training_configurations", {})
    return str(section.get("hardware", ""))


def _cores() -> tuple[int, ...]:
    affinity = getattr(os, "sched_getaffinity", None)
    return tuple(sorted(affinity(0))) if affinity else tuple(range(os.cpu_count() or 1))


def _gpus() -> tuple[str, ...]:
    """Returns the GPUs that this process may use, as far as that can be told without CUDA."""
    visible = os.environ.get(VISIBLE)
    if visible is not None:
        return tuple(name for name in visible.split(",") if name not in ("", "-1"))
    found = Path("/proc/driver/nvidia/gpus")
    return tuple(str(number) for number, _ in enumerate(found.iterdir())) if found.is_dir() else ()
