"""Bounds: of each method, of each caller, and of what the machine has left."""

import asyncio
import collections
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.v1 import datasets_pb2, models_pb2, training_pb2
from dlae_core.errors import DlaeError
from dlae_server.access import limits as limits_module
from dlae_server.access.bounding import Read, bounded
from dlae_server.access.bounds import BOUNDS, Bound, bound_of
from dlae_server.access.errors import (
    CallerLimit,
    CallTooLong,
    DiskLow,
    MemoryLow,
    RequestTooLarge,
    StreamStalled,
)
from dlae_server.access.guard import CALLER, Caller
from dlae_server.access.limits import Limits
from dlae_server.access.options import access_settings
from dlae_server.access.tokens import create
from dlae_server.main import main
from dlae_server.metrics import Metrics
from dlae_server.settings import Settings
from dlae_server.watermarks import Watermarks
from tests.dlae_server.access.projects import project_folder
from tests.dlae_server.access.test_role_matrix import ALL
from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of

STATUS = "/dlae.v1.TrainingService/Status"
VALIDATE = "/dlae.v1.TrainingService/Validate"
REQUEST = training_pb2.StatusRequest(job_id="x")
READ = Read(REQUEST, REQUEST.ByteSize())


def test_every_method_is_bounded_and_nothing_else_is() -> None:
    assert {f"/{name}/{one}" for name, methods in BOUNDS.items() for one in methods} == set(ALL)


def test_only_what_is_followed_may_last_for_ever_and_only_tensors_may_be_large() -> None:
    endless = {one for one in ALL if bound_of(one).seconds is None}
    assert {one.rpartition("/")[2] for one in endless} == {"Watch", "Logs"}
    large = {one for one in ALL if bound_of(one).message_bytes is None}
    assert {one.rpartition("/")[2] for one in large} == {"Predict", "PredictStream", "ModelInfer"}
    unknown = bound_of("/new.Service/Explode")
    assert (unknown.seconds, unknown.message_bytes) == (60, 65536)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets."""
    now = [100.0]
    monkeypatch.setattr(limits_module.time, "monotonic", lambda: now[0])
    return now


def refused(limits: Limits, name: str = "anna", method: str = STATUS) -> float | None:
    """Returns after how long a refused call may be tried again; None where it is let in."""
    try:
        with limits.call(name, method):
            return None
    except CallerLimit as error:
        return error.retry_seconds


def test_a_bucket_gives_a_burst_and_then_as_much_as_flows_in(clock: list[float]) -> None:
    limits = Limits(rate=10.0)
    # Two seconds' worth at once, then one in a tenth of a second.
    assert [refused(limits) for _ in range(20)] == [None] * 20
    assert refused(limits) == pytest.approx(0.1)
    assert refused(limits, "ben") is None
    clock[0] += 0.25
    assert [refused(limits) is None for _ in range(3)] == [True, True, False]
    clock[0] += 3600
    assert [refused(limits) is None for _ in range(21)] == [True] * 20 + [False]


def test_calls_at_once_are_counted_by_caller_and_by_method() -> None:
    limits = Limits(calls=6)
    together = bound_of(VALIDATE).together
    assert together == 4
    calls = [limits.call("anna", VALIDATE) for _ in range(4)]
    for call in calls:
        call.__enter__()
    with pytest.raises(CallerLimit, match="at most 4 calls of Validate at once of one caller"):
        limits.call("anna", VALIDATE).__enter__()
    with limits.call("anna", STATUS), limits.call("anna", STATUS):
        assert refused(limits) == 1.0
        assert refused(limits, "ben") is None
    calls.pop().__exit__(None, None, None)
    assert refused(limits, method=VALIDATE) is None


def test_bytes_of_calls_under_way_are_counted_and_given_back() -> None:
    limits = Limits(kept_bytes=100)
    with limits.call("anna", STATUS) as first:
        first.take(60)
        with limits.call("anna", STATUS) as second, pytest.raises(CallerLimit, match="100 bytes"):
            second.take(41)
    with limits.call("anna", STATUS) as third:
        third.take(100)


def test_who_has_no_name_is_not_counted_and_many_who_are_idle_are_forgotten() -> None:
    limits = Limits(calls=1, rate=1.0, kept_bytes=1)
    with limits.call("", STATUS) as first, limits.call("", STATUS):
        first.take(1000)
    for number in range(limits_module.MOST_IDLE + 5):
        assert refused(limits, f"n{number}") is None
    assert len(limits._uses) < 10


async def collected(answers: AsyncIterator[Any]) -> list[Any]:
    return [answer async for answer in answers]


def handled(**behaviour: Callable[..., Any]) -> Any:
    """Returns a handler as gRPC has them."""
    ((name, function),) = behaviour.items()
    return getattr(grpc, f"{name}_rpc_method_handler")(function)


def bounds(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Gives one method other bounds."""
    monkeypatch.setitem(BOUNDS["dlae.v1.TrainingService"], "Status", Bound(**values))


def test_a_call_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, seconds=0.02)

    async def slow(request: Any, context: Any) -> None:
        await asyncio.sleep(5)

    async def own(request: Any, context: Any) -> None:
        raise TimeoutError

    for behaviour, error in ((slow, CallTooLong), (own, TimeoutError)):
        handler = bounded(STATUS, handled(unary_unary=behaviour), Limits())
        with pytest.raises(error):
            asyncio.run(handler.unary_unary(READ, None))


def test_a_message_is_no_longer_than_its_method_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, seconds=1, message_bytes=READ.size - 1)

    async def answer(request: Any, context: Any) -> None:
        raise AssertionError

    handler = bounded(STATUS, handled(unary_unary=answer), Limits())
    with pytest.raises(RequestTooLarge, match="at most 2 bytes for this call, got 3"):
        asyncio.run(handler.unary_unary(READ, None))


@pytest.mark.parametrize(
    ("gap", "seconds", "error"), [(5.0, 60.0, StreamStalled), (0.01, 0.05, CallTooLong)]
)
def test_a_stream_that_stalls_or_drips_is_given_up(
    monkeypatch: pytest.MonkeyPatch, gap: float, seconds: float, error: type[DlaeError]
) -> None:
    bounds(monkeypatch, seconds=seconds)

    async def requests() -> AsyncIterator[Any]:
        for _ in range(100):
            yield READ
            await asyncio.sleep(gap)

    async def answer(asked: AsyncIterator[Any], context: Any) -> int:
        return len(await collected(asked))

    handler = bounded(STATUS, handled(stream_unary=answer), Limits(silence_seconds=0.05))
    with pytest.raises(error):
        asyncio.run(handler.stream_unary(requests(), None))


def test_what_a_stream_keeps_is_counted_message_by_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def requests() -> AsyncIterator[Any]:
        for _ in range(4):
            yield READ

    async def answer(asked: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        for one in await collected(asked):
            yield one

    async def run() -> int:
        token = CALLER.set(Caller("anna"))
        limits = Limits(kept_bytes=3 * READ.size)
        handler = bounded(STATUS, handled(stream_stream=answer), limits)
        try:
            return len(await collected(handler.stream_stream(requests(), None)))
        finally:
            CALLER.reset(token)

    bounds(monkeypatch, seconds=1)
    with pytest.raises(CallerLimit, match="9 bytes"):
        asyncio.run(run())
    bounds(monkeypatch, seconds=1, keeps=False)
    assert asyncio.run(run()) == 4


def retry_seconds(error: grpc.RpcError) -> float:
    """Returns after how long a refused call may be tried again."""
    info = error_details_pb2.RetryInfo()
    assert any(one.Unpack(info) for one in rpc_status.from_call(error).details)
    return float(info.retry_delay.ToNanoseconds() / 1e9)


def test_a_caller_of_too_many_calls_is_told_when_to_come_again(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "viewer")[1]
    metadata = (("authorization", f"Bearer {token}"),)
    with (
        serving(tmp_path, calls_per_second=0.5, metrics_port=0) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        call = channel.unary_unary("/dlae.v1.ModelService/ListModels")
        request = models_pb2.ListModelsRequest().SerializeToString()
        call(request, metadata=metadata)
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=metadata)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(caught.value) == "CALLER_LIMIT"
    assert 1.0 < retry_seconds(caught.value) <= 2.0


@pytest.fixture
def stalling(tmp_path: Path) -> Iterator[tuple[Path, grpc.Channel]]:
    """A server that waits for half a second, and a channel to it."""
    folder = project_folder(tmp_path / "server")
    # More than fits into the buffers on the way.
    with (folder / "jobs" / "liver-job" / "worker.log").open("wb") as log:
        log.truncate(96 << 20)
    with (
        serving(folder, stream_silence_seconds=0.5) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        yield folder, channel


def test_a_reader_who_takes_nothing_is_cut_off(stalling: tuple[Path, grpc.Channel]) -> None:
    call = stalling[1].unary_stream("/dlae.v1.TrainingService/Logs")
    request = training_pb2.LogsRequest(job_id="liver-job").SerializeToString()
    metadata = (("dlae-project", "liver"),)
    responses = call(request, metadata=metadata, timeout=10)
    next(responses)
    time.sleep(1.0)
    with pytest.raises(grpc.RpcError) as caught:
        collections.deque(responses, 0)
    assert (caught.value.code().name, reason_of(caught.value)) == ("ABORTED", "STREAM_STALLED")
    assert "nothing was taken for 0.5 s" in caught.value.details()
    assert sum(len(one) for one in call(request, metadata=metadata, timeout=20)) > 96 << 20


def test_a_writer_who_sends_nothing_is_cut_off(stalling: tuple[Path, grpc.Channel]) -> None:
    def requests() -> Iterator[bytes]:
        header = datasets_pb2.StartUploadRequest(sha256="0" * 64, size_bytes=10)
        yield datasets_pb2.UploadDatasetRequest(header=header).SerializeToString()
        time.sleep(2)

    call = stalling[1].stream_unary("/dlae.v1.DatasetService/UploadDataset")
    start = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        call(requests(), timeout=10)
    assert (caught.value.code().name, reason_of(caught.value)) == ("ABORTED", "STREAM_STALLED")
    assert time.monotonic() - start < 1.9


def machine(root: Path, available: int, limit: int, used: int) -> Path:
    """Writes what a kernel tells of memory, in KiB and bytes."""
    for name, text in {
        "proc/meminfo": f"MemTotal: 9 kB\nMemAvailable: {available} kB\n",
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/memory.max": f"{limit}\n",
        "sys/fs/cgroup/a/memory.current": f"{used}\n",
        "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 100\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/b/memory.current": "1\n",
        "sys/fs/cgroup/a/b/memory.stat": "inactive_file 0\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_memory_is_what_the_kernel_and_every_group_leave(tmp_path: Path) -> None:
    settings = Settings("", tmp_path, (), memory_bytes=1000)

    def marks(name: str, *facts: int) -> Watermarks:
        return Watermarks(settings, Metrics(), machine(tmp_path / name, *facts))

    assert marks("a", 10, 90_000, 4_000).available_memory() == 10 * 1024
    group = marks("b", 10, 5_000, 4_200)
    assert group.available_memory() == 900
    with pytest.raises(MemoryLow, match=r"expected 1000 bytes of memory.*found 900"):
        group.require_memory()
    nobody = Watermarks(settings, Metrics(), tmp_path / "nowhere")
    nobody.require_memory()
    assert nobody.available_memory() == float("inf")


def test_a_full_disk_is_told_with_what_is_free_and_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    marks = Watermarks(Settings("", tmp_path, (), free_bytes=1 << 60), metrics)
    with pytest.raises(DiskLow, match=rf"expected {1 << 60} bytes free .*, found \d+"):
        marks.require_disk()
    sample = metrics.registry.get_sample_value
    assert sample("dlae_refused_total", {"what": "disk"}) == 1.0
    assert sample("dlae_disk_free_bytes") == pytest.approx(marks.free_disk(), rel=0.1)


def test_no_model_is_loaded_without_memory(tmp_path: Path) -> None:
    folder = project_folder(tmp_path / "server")
    with (
        serving(folder, memory_bytes=1 << 60) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        call = channel.unary_unary("/inference.GRPCInferenceService/RepositoryModelLoad")
        with pytest.raises(grpc.RpcError) as caught:
            # A protocol buffer of one text in field 2.
            call(bytes((0x12, 6)) + b"tissue", metadata=(("dlae-project", "liver"),))
    assert reason_of(caught.value) == "MEMORY_LOW"
    assert retry_seconds(caught.value) == 30.0


def test_options_say_what_callers_may_do_and_none_means_any() -> None:
    default = Settings("", Path(), ())
    given = main.make_context("dlae-server", []).params
    found = access_settings(given)
    for name in (
        *("calls_per_caller", "calls_per_second", "bytes_per_caller"),
        *("stream_silence_seconds", "free_bytes", "memory_bytes"),
    ):
        assert found[name] == getattr(default, name)
    options = ("max_calls_per_caller", "max_calls_per_second", "max_gib_per_caller")
    any_of = access_settings({**given, **dict.fromkeys(options, 0)})
    assert [any_of[name] for name in any_of if "_per_" in name] == [None] * 3
