"""Who gets which cores and GPUs, and whether workers keep to them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest
from dlae_server.jobs.devices import Devices, Lease
from dlae_server.settings import Settings

NONE = pb.JobOptions()
CPU = '{"training_configurations": {"hardware": "cpu"}}'
GPU = '{"training_configurations": {"hardware": "gpu"}}'


def devices(jobs: int, gpus: tuple[str, ...] = ("0", "1")) -> Devices:
    folder = Path("/nowhere")
    made = Devices(Settings("127.0.0.1:0", folder, (folder,), running_jobs=jobs, gpus=gpus))
    made.cores = tuple(range(8))
    return made


def test_a_job_alone_has_everything_or_what_it_asks_for() -> None:
    alone = devices(1)
    assert alone.take("a", NONE, GPU) == Lease((), None)
    assert alone.is_full
    assert alone.take("b", NONE, GPU) is None
    alone.give_back("a")
    assert alone.take("b", pb.JobOptions(cores=2, gpus=1), GPU) == Lease((0, 1), ("0",))


def test_several_jobs_have_their_shares() -> None:
    several = devices(4)
    assert several.take("a", NONE, GPU) == Lease((0, 1), ("0",))
    assert several.take("b", NONE, CPU) == Lease((2, 3), ())
    assert several.take("c", pb.JobOptions(cores=3), GPU) == Lease((4, 5, 6), ("1",))
    # One core is left, and no GPU.
    assert several.take("d", NONE, CPU) is None
    assert several.take("d", pb.JobOptions(cores=1), GPU) is None
    assert several.take("d", pb.JobOptions(cores=1), CPU) == Lease((7,), ())
    several.give_back("b")
    assert several.take("e", NONE, CPU) == Lease((2, 3), ())


def test_a_server_without_gpus_lends_none() -> None:
    assert devices(2, ()).take("a", NONE, GPU) == Lease((0, 1, 2, 3), ())


def test_what_the_server_does_not_have_is_refused() -> None:
    made = devices(2)
    made.check(pb.JobOptions(cores=8, gpus=2))
    for options in (pb.JobOptions(cores=9), pb.JobOptions(gpus=3)):
        with pytest.raises(InvalidRequest, match="as many as the server has"):
            made.check(options)


@pytest.mark.parametrize(("said", "found"), [("2,5", ("2", "5")), ("", ()), ("-1", ())])
def test_gpus_are_those_that_the_server_may_see(
    monkeypatch: pytest.MonkeyPatch, said: str, found: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    folder = Path("/nowhere")
    assert Devices(Settings("127.0.0.1:0", folder, (folder,))).gpus == found


def test_a_worker_keeps_to_its_devices_and_writes_to_its_log(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    log = tmp_path / "worker.log"
    task = {"log": str(log), "devices": {"cores": [core], "gpus": ["3"]}}
    program = (
        "import json, os, threading\n"
        "from dlae_server.jobs.worker import settle_in\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        f"settle_in({task!r})\n"
        "threads = map(int, os.listdir('/proc/self/task'))\n"
        "cores = [list(os.sched_getaffinity(thread)) for thread in threads]\n"
        "print(json.dumps([cores, os.environ['CUDA_VISIBLE_DEVICES']]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
    cores, gpus = json.loads(log.read_text())
    assert (len(cores) >= 2, {tuple(one) for one in cores}, gpus) == (True, {(core,)}, "3")
