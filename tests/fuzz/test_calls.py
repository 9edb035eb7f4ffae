"""Every method of every service, called with messages that nobody means well with.

A server in a process of its own, with fake workers, has to answer each with a status that says
whose fault it is, and to be as it was before. `DLAE_FUZZ_INPUTS` says how many calls are made.
"""

import concurrent.futures
import http.client
import json
import os
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import Descriptor

from dlae.v1 import datasets_pb2, models_pb2, prediction_pb2, training_pb2
from dlae_server import oip
from tests.dlae_server.processes import ServerProcess, killable
from tests.fuzz.inputs import COUNT, SEED, Fuzz
from tests.fuzz.valid import requests_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CALLERS, SECONDS = 8, 20.0
# Streams of answers that end when their caller does.
ENDLESS = ("Watch",)
# What may be open that was not: two loaded models have three each, three other workers two.
PATHS = (
    *("/v2", "/v2/health/live", "/v2/models/m", "/v2/models/m/ready", "/v2/models/m/infer"),
    *("/v2/models/m/versions/1/infer", "/v2/models/m/config", "/v2/models/m/stats"),
    *("/v2/repository/index", "/v2/repository/models/m/load", "/v2/models/m/versions/1"),
)
KEPT = 2 * 3 + 3 * 2
FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED)


@dataclass(frozen=True)
class Method:
    """A method, and what it takes."""

    path: str
    request: Descriptor
    takes_many: bool
    answers_many: bool


def _methods() -> Iterator[Method]:
    files = (training_pb2, prediction_pb2, models_pb2, datasets_pb2)
    for file in files:
        for service in file.DESCRIPTOR.services_by_name.values():
            for one in service.methods:
                path = f"/{service.full_name}/{one.name}"
                yield Method(path, one.input_type, one.client_streaming, one.server_streaming)
    for name, (request, _) in oip.methods().items():
        yield Method(f"/{oip.SERVICE}/{name}", request.DESCRIPTOR, False, False)


METHODS = list(_methods())


class Caller:
    """Calls a server, and counts what comes back."""

    def __init__(self, server: ServerProcess, seed: int, job_id: str) -> None:
        source, file = server.source(), str(server.data / "X.h5")
        self.fuzz = Fuzz(seed, (job_id, "m", "m@1", file, source.json))
        self.codes: Counter[grpc.StatusCode] = Counter()
        self.faults: list[str] = []
        self._channel = grpc.insecure_channel(server.facts["listen"])
        self._valid = requests_of(source, job_id, file)

    def call(self, count: int) -> None:
        """Makes calls; returns when all are answered."""
        for _ in range(count):
            method = self.fuzz.random.choice(METHODS)
            self._answered(method, self._requests(method))
        self._channel.close()

    def _requests(self, method: Method) -> list[bytes]:
        """Returns one message, or those of a stream: drawn, or valid ones changed and damaged."""
        draw = self.fuzz.random
        valid = self._valid.get(method.path.rpartition("/")[2])
        if valid is None or draw.random() < 0.3:
            count = draw.choice((0, 1, 2, 5)) if method.takes_many else 1
            messages = [self.fuzz.message(method.request) for _ in range(count)]
        else:
            messages = [type(message).FromString(message.SerializeToString()) for message in valid]
            for _ in range(draw.choice((0, 1, 1, 3))):
                self.fuzz.changed(draw.choice(messages))
            if method.takes_many and draw.random() < 0.2:
                draw.shuffle(messages)
        data = [message.SerializeToString() for message in messages]
        return list(map(self.fuzz.mutated, data)) if draw.random() < 0.2 else data

    def _answered(self, method: Method, requests: list[bytes]) -> None:
        kind = "_".join(
            "stream" if many else "unary" for many in (method.takes_many, method.answers_many)
        )
        make: Callable[..., Callable[..., object]] = getattr(self._channel, kind)
        given = iter(requests) if method.takes_many else requests[0]
        is_endless = method.path.endswith(ENDLESS)
        code = grpc.StatusCode.OK
        try:
            answer = make(method.path)(given, timeout=0.2 if is_endless else SECONDS)
            if method.answers_many:
                for _ in answer:  # type: ignore[attr-defined]
                    pass
        except grpc.RpcError as error:
            code = error.code()
            text = f"{method.path}: {code}: {error.details()}"
            late = code is grpc.StatusCode.DEADLINE_EXCEEDED and not is_endless
            if code in FAULTS or late:
                self.faults.append(f"{text[:300]} {requests!r:.2000}")
        self.codes[code] += 1


def _asked_over_http(server: ServerProcess, count: int) -> Counter[int]:
    """Asks paths of the Open Inference Protocol with bodies of damaged JSON; returns statuses."""
    fuzz, statuses = Fuzz(SEED), Counter[int]()
    tensor = {"name": "input", "datatype": "INT16", "shape": [1, 8, 8, 1], "data": [7] * 64}
    body = json.dumps({"id": "a", "parameters": {"binary_data_output": True}, "inputs": [tensor]})
    connection = http.client.HTTPConnection(server.facts["rest"], timeout=SECONDS)
    for _ in range(count):
        path = fuzz.random.choice(PATHS)
        if fuzz.random.random() < 0.1:
            path = urllib.parse.quote(fuzz.mutated(path.encode()))
        sent = fuzz.changed_json(body.encode())
        if fuzz.random.random() < 0.3:
            sent = fuzz.mutated(sent)
        headers = {}
        if fuzz.random.random() < 0.2:
            lengths = ("0", "-1", "9" * 30, "x", str(len(sent) // 2))
            headers["Inference-Header-Content-Length"] = fuzz.random.choice(lengths)
        connection.request(fuzz.random.choice(("GET", "POST", "POST")), path, sent, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 500 or answer.status == 503, (answer.status, path, sent, text)
        statuses[answer.status] += 1
    connection.close()
    return statuses


def _train_again(server: ServerProcess) -> None:
    """Makes another model, once there is room for its job: the last one may have been deleted."""
    deadline = time.monotonic() + 60
    while True:
        try:
            server.trained("m")
            return
        except grpc.RpcError as error:
            full = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            if not full or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _descriptors(server: ServerProcess) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def _resident_mb(server: ServerProcess) -> float:
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _all_called(server: ServerProcess, count: int, job_id: str, seed: int) -> list[Caller]:
    callers = [Caller(server, seed * 1000 + number, job_id) for number in range(CALLERS)]
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        for done in [pool.submit(caller.call, count // CALLERS) for caller in callers]:
            done.result()
    return callers


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that nothing else is asked of."""
    with killable(tmp_path) as process:
        yield process


def test_no_call_makes_the_server_fail(own_server: ServerProcess) -> None:
    job_id = own_server.trained("m").id
    warm = _all_called(own_server, 200, job_id, SEED + 1)
    time.sleep(0.5)
    before, memory = _descriptors(own_server), _resident_mb(own_server)
    callers = _all_called(own_server, COUNT or 800, job_id, SEED)
    faults = [fault for caller in (*warm, *callers) for fault in caller.faults]
    assert not faults, "\n".join(sorted(faults)[:20])
    _train_again(own_server)
    statuses = _asked_over_http(own_server, max(COUNT // 20, 200))
    assert statuses[200] > 0.05 * statuses.total()
    assert statuses[400] > 0.05 * statuses.total()
    codes = sum((caller.codes for caller in callers), Counter())
    # They came through to what the methods do.
    assert codes[grpc.StatusCode.OK] > 0.05 * codes.total()
    assert len(codes) >= 5
    assert own_server.process.poll() is None
    deadline = time.monotonic() + 15
    while _descriptors(own_server) > before + KEPT and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _descriptors(own_server) <= before + KEPT
    assert _resident_mb(own_server) < memory + 150
    logs = [own_server.log, *own_server.data_dir.rglob("*.log"), *own_server.data_dir.rglob("log*")]
    for log in filter(Path.is_file, logs):
        assert "Traceback" not in log.read_text(errors="replace"), log.read_text()[-5000:]
    print(dict(codes), dict(statuses), f"{_resident_mb(own_server) - memory:.0f} MB more")  # noqa: T201
