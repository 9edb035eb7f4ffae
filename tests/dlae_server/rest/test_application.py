"""The protocol over HTTP, asked by Triton's client and byte by byte."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.arrays import array_from_tensor, tensor_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae_core.errors import CorruptArtifact, DlaeError, InvalidImage
from dlae_server import errors, oip
from dlae_server.access.guard import Guard
from dlae_server.errors import CannotStart
from dlae_server.rest import door
from dlae_server.rest.application import JSON_END, _failure
from dlae_server.settings import Settings
from tests.dlae_server.fakes import SLOW
from tests.dlae_server.processes import ServerProcess, eventually

IMAGES = np.arange(2 * 8 * 8, dtype=np.int16).reshape(2, 8, 8, 1)
INPUT = {"name": "input", "datatype": "INT16", "shape": list(IMAGES.shape)}


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """The name of a trained model."""
    server.trained("rested")
    return "rested"


@pytest.fixture(scope="module")
def ask(server: ServerProcess) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """Sends a request, returns status, headers and body."""

    def call(
        method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(server.facts["rest"], timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found

    return call


def infer(**fields: Any) -> bytes:
    """Returns a body of JSON alone."""
    return json.dumps({"inputs": [{**INPUT, "data": IMAGES.tolist()}], **fields}).encode()


def predicted(server: ServerProcess, model: str, images: np.ndarray, kind: int = 0) -> np.ndarray:
    """Returns what `Predict` answers."""
    request = pb.PredictRequest(model=model, input=tensor_from_array(images), output_kind=kind)
    return array_from_tensor(server.prediction.Predict(request).output)


def test_tritons_client_is_answered_over_http_as_predict_answers(
    server: ServerProcess, model: str, tmp_path: Path
) -> None:
    images = np.random.default_rng(1).random((3, 8, 8, 1), np.float32)
    np.save(tmp_path / "images.npy", images)
    script = Path(__file__).parents[1] / "triton_http_calls.py"
    command = [sys.executable, script, server.facts["rest"], model, tmp_path / "images.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["live"], told["ready"], told["model"]) == (True, True, [True, False])
    assert set(told["server"]["extensions"]) == {*oip.EXTENSIONS, "binary_tensor_data"}
    assert told["response"] == ["7", "1"]
    assert told["unknown"][0] == "404"
    assert "unknown" in told["unknown"][1]
    assert {"name": model, "version": "1", "state": "READY", "reason": ""} in told["index"]
    expected = {"name": "input", "datatype": "FP32", "shape": [-1, 8, 8, 1]}
    assert told["metadata"]["inputs"] == [expected]
    assert told["config"]["input"] == [
        {"name": "input", "data_type": "TYPE_FP32"} | {"dims": [8, 8, 1]}
    ]
    (counted,) = told["statistics"]["model_stats"]
    assert counted["inference_count"] == 5 * 3
    assert counted in told["all"]["model_stats"]
    for kind, names in ((0, ("output-True", "output-False", "default")), (1, ("labels-True",))):
        for name in names:
            found = np.load(tmp_path / f"{name}.npy")
            np.testing.assert_array_equal(found, predicted(server, model, images, kind))


def test_json_alone_is_answered_with_json_alone(
    server: ServerProcess, model: str, ask: Callable[..., Any]
) -> None:
    body = infer(id="a", outputs=[{"name": "labels"}, {"name": "output"}])
    status, headers, text = ask("POST", f"/v2/models/{model}/versions/1/infer", body)
    told = json.loads(text)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert JSON_END.lower() not in headers
    assert (told["model_name"], told["model_version"], told["id"]) == (model, "1", "a")
    labels, output = told["outputs"]
    assert (labels["datatype"], labels["shape"]) == ("UINT8", [2, 8, 8])
    numbers = np.array(output["data"], np.float32).reshape(output["shape"])
    np.testing.assert_array_equal(numbers, predicted(server, model, IMAGES))


def test_binary_data_follow_the_json(
    server: ServerProcess, model: str, ask: Callable[..., Any]
) -> None:
    raw = IMAGES.tobytes()
    tensor = {**INPUT, "parameters": {"binary_data_size": len(raw)}}
    fields = {"inputs": [tensor], "parameters": {"binary_data_output": True, "threshold": 0.5}}
    text = json.dumps(fields).encode()
    status, headers, body = ask(
        "POST", f"/v2/models/{model}/infer", text + raw, **{JSON_END: str(len(text))}
    )
    assert status == 200
    end = int(headers[JSON_END.lower()])
    (output,) = json.loads(body[:end])["outputs"]
    assert output["parameters"] == {"binary_data_size": IMAGES.size * 4}
    assert body[end:] == predicted(server, model, IMAGES).tobytes()


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("models/unknown/infer", infer(), 404, "no model"),
        ("models/{}/infer", b"{", 400, "JSON"),
        ("models/{}/infer", b"", 400, "JSON"),
        ("models/{}/infer", infer(parameters={"treshold": 1}), 400, "treshold"),
        ("models/{}/infer", infer(outputs=[{"name": "x"}]), 400, "outputs"),
        (
            "models/{}/infer",
            infer(outputs=[{"name": "labels", "parameters": {"classification": 3}}]),
            400,
            "classification",
        ),
        ("models/{}/infer", infer(inputs=[{**INPUT, "data": [1]}]), 400, "256 bytes"),
        ("models/{}/versions/9/infer", infer(), 404, "no model"),
        ("models/{}/versions/0/infer", infer(), 400, "name@version"),
        ("repository/models/{}/load", b'{"parameters": {"config": "{}"}}', 400, "config"),
        ("repository/models/{}/load", b"[]", 400, "object"),
        ("repository/models/unknown/unload", b"", 404, "no model"),
        ("models/{}/generate", b"", 404, "path"),
    ],
)
def test_errors_are_the_protocols_json(
    model: str, ask: Callable[..., Any], path: str, body: bytes, status: int, words: str
) -> None:
    found, headers, text = ask("POST", "/v2/" + path.format(model), body)
    assert (found, headers["content-type"]) == (status, "application/json")
    assert words in json.loads(text)["error"]


def test_pages_of_browsers_are_refused(ask: Callable[..., Any]) -> None:
    for headers in ({"Origin": "https://a.example"}, {"Host": "a.example:8000"}):
        assert ask("GET", "/v2", **headers)[0] == 403
    assert ask("GET", "/v2", Host="localhost")[0] == 200
    assert ask("DELETE", "/v2")[0] == 405


def test_large_packed_and_slow_bodies_are_refused(
    server: ServerProcess, model: str, ask: Callable[..., Any]
) -> None:
    path = f"/v2/models/{model}/infer"
    assert ask("POST", path, b"", Content_Length=str(1 << 40))[0] == 413
    assert ask("POST", path, b"{}", Content_Encoding="gzip")[0] == 415
    host, port = server.facts["rest"].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as slow:
        slow.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode()
        )
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_client_that_goes_gives_up_its_prediction(server: ServerProcess, model: str) -> None:
    images = np.full((1, 8, 8, 1), SLOW, np.int16)
    tensor = {**INPUT, "shape": [1, 8, 8, 1], "data": images.tolist()}
    cancelled = f'dlae_inference_requests_total{{code="CANCELLED",model="{model}",version="1"}}'
    before = server.sample(cancelled)
    connection = http.client.HTTPConnection(server.facts["rest"])
    connection.request("POST", f"/v2/models/{model}/infer", infer(inputs=[tensor]))
    time.sleep(0.1)
    connection.close()
    eventually(lambda: server.sample(cancelled) == before + 1)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidImage("a"), 400),
        (errors.ModelNotFound("a"), 404),
        (errors.TensorTooLarge(2, 1), 413),
        (errors.QueueFull("predictions", 3, 1.2), 429),
        (CorruptArtifact("a"), 500),
        (errors.ShuttingDown(), 503),
        (errors.OutOfTime(1), 504),
    ],
)
def test_every_error_has_a_status_and_its_reason(error: DlaeError, status: int) -> None:
    answer = _failure(error)
    told = json.loads(bytes(answer.body))
    assert (answer.status_code, told) == (status, {"error": str(error), "reason": error.reason})
    assert answer.headers.get("retry-after") == ("2" if status == 429 else None)


def test_an_address_in_use_and_a_missing_extra_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = Settings("127.0.0.1:0", tmp_path, (), rest_address=address)
        service: Any = None
        with pytest.raises(CannotStart, match="in use"):
            door.Door(settings, service, Guard(tmp_path))
        monkeypatch.delitem(sys.modules, "dlae_server.rest.running", raising=False)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        with pytest.raises(CannotStart, match=r"dlae\[rest\]"):
            door.Door(settings, service, Guard(tmp_path))
