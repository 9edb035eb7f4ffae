"""Predictions over the Open Inference Protocol that tell which record proves them."""

import hashlib
import http.client
import json
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from dlae_server import oip
from dlae_server.audit.reading import records
from tests.dlae_server.audit.test_commands import run
from tests.dlae_server.folders import server_folder
from tests.dlae_server.inside import serving

IMAGE = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)


def infer(address: str, **parameters: Any) -> Any:
    """Asks for both outputs of a model."""
    request_class, response_class = oip.methods()["ModelInfer"]
    request = request_class(
        model_name="m",
        inputs=[{"name": "input", "datatype": "FP32", "shape": IMAGE.shape}],
        outputs=[{"name": "output"}, {"name": "labels"}],
        raw_input_contents=[IMAGE.tobytes()],
    )
    for name, value in parameters.items():
        field = "bool_param" if isinstance(value, bool) else "string_param"
        setattr(request.parameters[name], field, value)
    with grpc.insecure_channel(address) as channel:
        path = f"/{oip.SERVICE}/ModelInfer"
        ask = channel.unary_unary(path, request_class.SerializeToString, response_class.FromString)
        return ask(request, timeout=60)


def told(output: Any) -> dict[str, str]:
    return {name: given.string_param for name, given in output.parameters.items()}


def test_each_output_tells_its_record_where_the_request_wants_it(tmp_path: Path) -> None:
    folder = server_folder(tmp_path / "server")
    with serving(folder) as facts:
        assert [told(one) for one in infer(facts["listen"]).outputs] == [{}, {}]
        answer = infer(facts["listen"], provenance=True)
        with pytest.raises(grpc.RpcError, match="expected True or False for 'provenance'"):
            infer(facts["listen"], provenance="perhaps")
    made = {str(one.position): one.facts for one in records(folder)}
    for output, data in zip(answer.outputs, answer.raw_output_contents, strict=True):
        found = told(output)
        record = made[found["record"]]
        assert record["output_sha256"] == hashlib.sha256(data).hexdigest()
        assert record["input_sha256"] == hashlib.sha256(IMAGE.tobytes()).hexdigest()
        assert {name: record[name] for name in found if name != "record"} == {
            name: found[name] for name in ("input_sha256", "output_sha256")
        }


def test_a_server_without_a_log_says_that_it_cannot(tmp_path: Path) -> None:
    folder = server_folder(tmp_path / "server")
    with (
        serving(folder, audit=False) as facts,
        pytest.raises(grpc.RpcError, match="expected a server with an audit log"),
    ):
        infer(facts["listen"], provenance=True)


@pytest.mark.parametrize("is_binary", [True, False])
def test_an_answer_of_rest_that_is_kept_as_json_verifies(tmp_path: Path, is_binary: bool) -> None:
    folder = server_folder(tmp_path / "server")
    asked = {
        "inputs": [
            {"name": "input", "datatype": "FP32", "shape": IMAGE.shape, "data": IMAGE.tolist()}
        ],
        "parameters": {"binary_data_output": is_binary},
    }
    with serving(folder, audit_predictions=True, rest_address="127.0.0.1:0") as facts:
        connection = http.client.HTTPConnection(facts["rest"], timeout=60)
        connection.request("POST", "/v2/models/m/infer", json.dumps(asked))
        answer = connection.getresponse()
        assert answer.status == 200
        body = answer.read()
        connection.close()
    head = json.loads(body[: int(answer.headers.get("Inference-Header-Content-Length", len(body)))])
    (output,) = head["outputs"]
    assert set(output["parameters"]) - {"binary_data_size"} == {
        *("record", "input_sha256", "output_sha256"),
    }
    (tmp_path / "answer.json").write_text(json.dumps(head))
    verify = ("audit", "verify", "--record", tmp_path / "answer.json")
    assert run(folder, *verify).exit_code == 0
    output["parameters"]["output_sha256"] = "0" * 64
    (tmp_path / "answer.json").write_text(json.dumps(head))
    assert run(folder, *verify).exit_code == 1
