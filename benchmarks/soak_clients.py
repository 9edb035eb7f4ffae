"""Clients of every kind, who ask a server at once and compare what they are told: for `soak.py`."""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np

from dlae.arrays import array_from_bytes, array_from_tensor, header_from_array, tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae.v1.prediction_pb2_grpc import PredictionServiceStub
from dlae.v1.tensor_pb2 import Tensor
from dlae_server import oip

REST_SECONDS = 2.0
PAUSE_SECONDS = 0.025
CHUNK = 1 << 20
# What is heavier than a small prediction waits so many times as long.
_VOLUME_PAUSES, _LOAD_PAUSES = 20, 40
# More models than may be loaded: most of the time would be spent on loading them.
_MOSTLY = 0.9
_CALLS = 200


@dataclass(frozen=True)
class Served:
    """A server and what it is asked.

    Attributes:
        pid: Its process.
        address: Of gRPC.
        rest: Of the protocol over HTTP.
        models: References.
        images: One image that all of them take, (1, *space, channels), float32.
        large: One that goes as a volume.
    """

    pid: int
    address: str
    rest: str
    models: tuple[str, ...]
    images: np.ndarray
    large: np.ndarray


@dataclass
class Tally:
    """What has happened.

    Attributes:
        counts: Calls by kind and outcome.
        wrong: What must not happen, in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Soak:
    """Clients of every kind."""

    def __init__(self, served: Served, pause: float = PAUSE_SECONDS) -> None:
        """Learns what each answer has to be.

        Args:
            served: The server.
            pause: How long a client waits between two calls, on average.
        """
        self.tally = Tally()
        self._served = served
        self._pause = pause
        self._channel = grpc.insecure_channel(served.address)
        self._stub = PredictionServiceStub(self._channel)
        self._over = threading.Event()
        self._expected = {model: self._predicted(model, served.images) for model in served.models}
        self._large = {model: self._streamed(model, served.large) for model in served.models[:1]}

    def run(self, seconds: float) -> None:
        """Lets everybody ask for some time."""
        self._over.clear()
        kinds = (self._single, self._single, self._chunked, self._volume, self._protocol)
        kinds += (self._http, self._loading, self._mistaken, self._hasty)
        threads = [threading.Thread(target=self._often, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self._over.set()
        for thread in threads:
            thread.join()

    def measured(self) -> dict[str, float]:
        """Returns what the server has in use when nobody asks and no model is loaded.

        And how many times as long as an empty call a prediction takes, where only one asks.
        """
        latency = self._latency()
        for model in self._served.models:
            self._manage("RepositoryModelUnload", model)
        time.sleep(REST_SECONDS)
        process = Path(f"/proc/{self._served.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return {
            "memory_bytes": float(status["RssAnon"].split()[0]) * 1024,
            "handles": float(len(os.listdir(process / "fd"))),
            "threads": float(status["Threads"]),
            "latency_ratio": latency,
        }

    def _latency(self) -> float:
        """Returns the ratio of the tenths that were least disturbed: all else slows down both."""
        model, rows = self._served.models[0], []
        for _ in range(_CALLS):
            start = time.monotonic()
            self._call("ServerLive")
            middle = time.monotonic()
            self._predicted(model, self._served.images)
            rows.append((middle - start, time.monotonic() - middle))
        empty, whole = (sorted(column)[_CALLS // 10] for column in zip(*rows, strict=True))
        return whole / empty

    def _often(self, kind: Callable[[random.Random], None]) -> None:
        chance = random.Random(kind.__name__)
        name = kind.__name__.strip("_")
        while not self._over.is_set():
            try:
                kind(chance)
                outcome = "OK"
            except grpc.RpcError as error:
                outcome = error.code().name
                if outcome not in _ALLOWED.get(name, ("RESOURCE_EXHAUSTED",)):
                    self.tally.wrong.append(f"{name}: {outcome} {error.details()}")
            except AssertionError as error:
                outcome = "WRONG"
                self.tally.wrong.append(f"{name}: {error}")
            self.tally.counts[f"{name} {outcome}"] += 1
            self._over.wait(chance.uniform(0, 2 * self._pause))

    def _any(self, chance: random.Random) -> str:
        """Returns a model, mostly the first, which then is always loaded."""
        first, *others = self._served.models
        return first if chance.random() < _MOSTLY else chance.choice(others)

    def _predicted(self, model: str, images: np.ndarray, timeout: float = 60.0) -> np.ndarray:
        request = pb.PredictRequest(model=model, input=tensor_from_array(images), output_kind=3)
        return array_from_tensor(self._stub.Predict(request, timeout=timeout).output)

    def _streamed(self, model: str, images: np.ndarray) -> np.ndarray:
        header, *parts = self._stub.PredictStream(_messages(model, images), timeout=120)
        output, data = header.header.output, b"".join(part.data for part in parts)
        return array_from_bytes(data, output.data_type, output.shape)

    def _single(self, chance: random.Random) -> None:
        model, count = self._any(chance), chance.randint(1, 5)
        found = self._predicted(model, self._served.images.repeat(count, 0))
        _require_equal(found, self._expected[model].repeat(count, 0))

    def _chunked(self, chance: random.Random) -> None:
        model, count = self._any(chance), chance.randint(1, 40)
        found = self._streamed(model, self._served.images.repeat(count, 0))
        _require_equal(found, self._expected[model].repeat(count, 0))

    def _volume(self, chance: random.Random) -> None:
        model = self._served.models[0]
        if chance.random() < 0.3:
            stream = self._stub.PredictStream(_messages(model, self._served.large))
            self._over.wait(chance.uniform(0, 0.2))
            stream.cancel()
            return
        _require_equal(self._streamed(model, self._served.large), self._large[model])
        self._over.wait(_VOLUME_PAUSES * self._pause)

    def _protocol(self, chance: random.Random) -> None:
        model, images = self._any(chance), self._served.images
        tensor = {"name": "input", "datatype": "FP32", "shape": images.shape}
        answer = self._call(
            "ModelInfer",
            model_name=model,
            inputs=[tensor],
            outputs=[{"name": "output"}],
            raw_input_contents=[images.tobytes()],
        )
        found = np.frombuffer(answer.raw_output_contents[0], np.float32)
        _require_equal(found.reshape(tuple(answer.outputs[0].shape)), self._expected[model])
        self._call("ModelStatistics")
        self._call("RepositoryIndex")

    def _http(self, chance: random.Random) -> None:
        model, images = self._any(chance), self._served.images
        tensor = {"name": "input", "datatype": "FP32", "shape": images.shape}
        raw = images.tobytes()
        tensor["parameters"] = {"binary_data_size": len(raw)}
        asked = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
        text = json.dumps({**asked, "outputs": [{"name": "output"}]}).encode()
        connection = http.client.HTTPConnection(self._served.rest, timeout=60)
        try:
            headers = {"Inference-Header-Content-Length": str(len(text))}
            connection.request("POST", f"/v2/models/{model}/infer", text + raw, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 429:
                return
            assert answer.status == 200, body[:200]
            end = int(answer.headers["Inference-Header-Content-Length"])
            shape = json.loads(body[:end])["outputs"][0]["shape"]
            found = np.frombuffer(body[end:], np.float32).reshape(shape)
            _require_equal(found, self._expected[model])
        finally:
            connection.close()

    def _loading(self, chance: random.Random) -> None:
        way = chance.choice(("RepositoryModelLoad", "RepositoryModelUnload"))
        self._manage(way, chance.choice(self._served.models[1:]))
        self._over.wait(_LOAD_PAUSES * self._pause)

    def _mistaken(self, chance: random.Random) -> None:
        model, images = self._served.models[0], self._served.images
        whole = tensor_from_array(images)
        short = Tensor(data_type=whole.data_type, shape=whole.shape, data=whole.data[:-1])
        requests = (("absent", whole), (model, tensor_from_array(images * np.nan)), (model, short))
        name, tensor = chance.choice(requests)
        self._stub.Predict(pb.PredictRequest(model=name, input=tensor))
        raise AssertionError("a request that is wrong was answered")

    def _hasty(self, chance: random.Random) -> None:
        model, images = self._any(chance), self._served.images
        if chance.random() < 0.5:
            self._predicted(model, images.repeat(4, 0), chance.uniform(0.0005, 0.02))
            return
        request = pb.PredictRequest(model=model, input=tensor_from_array(images))
        call = self._stub.Predict.future(request)
        self._over.wait(chance.uniform(0, 0.01))
        call.cancel()

    def _manage(self, method: str, model: str) -> None:
        self._call(method, model_name=model)

    def _call(self, method: str, **fields: object) -> oip.Message:
        request, response = oip.methods()[method]
        call = self._channel.unary_unary(
            f"/{oip.SERVICE}/{method}", request.SerializeToString, response.FromString
        )
        return call(request(**fields), timeout=60)


def _messages(model: str, images: np.ndarray) -> Iterator[pb.PredictStreamRequest]:
    header = pb.PredictStreamHeader(model=model, input=header_from_array(images), output_kind=3)
    header.options.tile_overlap = 0.0
    yield pb.PredictStreamRequest(header=header)
    data = memoryview(np.ascontiguousarray(images).reshape(-1)).cast("B")
    for start in range(0, len(data), CHUNK):
        yield pb.PredictStreamRequest(data=bytes(data[start : start + CHUNK]))


def _require_equal(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape, f"expected {expected.shape}, got {found.shape}"
    # A joined call may calculate in another order.
    difference = float(np.abs(found - expected).max())
    assert difference < 1e-5, f"expected the same numbers, got ones {difference} away"


# Outcomes of kinds of clients that are no fault.
_ALLOWED = {
    "mistaken": ("NOT_FOUND", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"),
    "hasty": ("DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED"),
    "volume": ("RESOURCE_EXHAUSTED",),
}
