"""The Open Inference Protocol, asked by Triton's client and message by message."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import dlae
from dlae.arrays import array_from_tensor, tensor_from_array
from dlae.v1 import models_pb2
from dlae.v1 import prediction_pb2 as pb
from dlae_core.errors import InvalidOptions
from dlae_server import oip
from dlae_server.errors import InvalidRequest
from dlae_server.oip_parameters import is_urgent, options_of, seconds_of, values_of
from tests.dlae_server.fakes import SLOW
from tests.dlae_server.processes import ServerProcess, reason_of

ROOT = Path(__file__).parents[2]
IMAGES = np.arange(2 * 8 * 8, dtype=np.int16).reshape(2, 8, 8, 1)
TYPES = oip.methods()
NAME = "open_inference"
# A Python that has `kserve`, which cannot be installed beside our protocol compiler.
KSERVE_PYTHON = os.environ.get("DLAE_KSERVE_PYTHON")


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """The name of a trained model."""
    server.trained("inferred")
    return "inferred"


@pytest.fixture(scope="module")
def ask(server: ServerProcess) -> Callable[..., Any]:
    """Calls a method with a request's fields."""

    def call(method: str, **fields: Any) -> Any:
        request, response = TYPES[method]
        stub = server.channel.unary_unary(
            f"/{oip.SERVICE}/{method}", request.SerializeToString, response.FromString
        )
        return stub(request(**fields))

    return call


def tensor(array: np.ndarray, datatype: str = "INT16", **contents: Any) -> dict[str, Any]:
    """Returns an input's fields."""
    fields = {"name": "input", "datatype": datatype, "shape": array.shape}
    return {**fields, **({"contents": contents} if contents else {})}


def raw(response: Any, number: int = 0) -> np.ndarray:
    """Returns an output as an array."""
    output = response.outputs[number]
    flat = np.frombuffer(response.raw_output_contents[number], oip.DATATYPES[output.datatype])
    return flat.reshape(tuple(output.shape))


def test_the_description_is_that_of_the_proto_file(tmp_path: Path) -> None:
    target = tmp_path / "fresh"
    source = ROOT / "proto" / "oip"
    arguments = [f"-I{source}", f"--descriptor_set_out={target}", str(source / f"{NAME}.proto")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    assert target.read_bytes() == oip.DESCRIPTION.read_bytes()


def test_numbers_of_fields_are_the_protocols() -> None:
    expected = {
        "ModelInferRequest": "model_name model_version id parameters inputs outputs "
        "raw_input_contents",
        "ModelInferRequest.InferInputTensor": "name datatype shape parameters contents",
        "ModelInferRequest.InferRequestedOutputTensor": "name parameters",
        "ModelInferResponse": "model_name model_version id parameters outputs raw_output_contents",
        "InferTensorContents": "bool_contents int_contents int64_contents uint_contents "
        "uint64_contents fp32_contents fp64_contents bytes_contents",
        "InferParameter": "bool_param int64_param string_param double_param uint64_param",
        "ModelMetadataResponse": "name versions platform inputs outputs properties",
        "ServerMetadataResponse": "name version extensions",
    }
    for name, fields in expected.items():
        found = {field.number: field.name for field in oip.message(name).DESCRIPTOR.fields}
        assert found == dict(enumerate(fields.split(), start=1)), name


def test_the_protocol_stays_out_of_the_default_pool() -> None:
    program = (
        "import dlae_server.app; from google.protobuf import descriptor_pool as pool\n"
        "try: pool.Default().FindMessageTypeByName('inference.ModelInferRequest')\n"
        "except KeyError: print('absent')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "absent"


def test_tritons_client_is_answered_as_predict_answers(
    server: ServerProcess, model: str, tmp_path: Path
) -> None:
    images = np.random.default_rng(1).random((3, 8, 8, 1), np.float32)
    np.save(tmp_path / "images.npy", images)
    server.models.SetAlias(models_pb2.SetAliasRequest(model=f"{model}@1", alias="first"))
    script = Path(__file__).with_name("triton_calls.py")
    command = [sys.executable, script, server.facts["listen"], model, tmp_path / "images.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["live"], told["ready"], told["model"]) == (True, True, [True, False])
    assert told["server"] == {
        "name": "dlae",
        "version": dlae.__version__,
        "extensions": list(oip.EXTENSIONS),
    }
    assert told["response"] == ["7", "1"]
    assert (told["unknown"], told["absent"]) == ("StatusCode.NOT_FOUND",) * 2
    assert (told["misspelt"], told["changed"]) == ("StatusCode.INVALID_ARGUMENT",) * 2
    assert {"name": model, "version": "1"} in told["unloaded"]["models"]
    config = told["config"]["config"]
    assert (config["name"], config["max_batch_size"]) == (model, 32)
    assert config["input"] == [{"name": "input", "data_type": "TYPE_FP32", "dims": ["8", "8", "1"]}]
    assert config["output"][1] == {"name": "labels", "data_type": "TYPE_UINT8", "dims": ["8", "8"]}
    assert np.load(tmp_path / "thresholded.npy").min() == 1
    assert {"name": model, "version": "1", "state": "READY"} in told["index"]["models"]
    assert {one["name"] for one in told["statistics"]["model_stats"]} >= {model}
    for kind, name in ((0, "output"), (0, "default"), (1, "labels")):
        request = pb.PredictRequest(model=model, input=tensor_from_array(images), output_kind=kind)
        expected = array_from_tensor(server.prediction.Predict(request).output)
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), expected)


@pytest.mark.skipif(not KSERVE_PYTHON, reason="DLAE_KSERVE_PYTHON names no Python with kserve")
def test_kserves_client_is_answered_as_predict_answers(
    server: ServerProcess, model: str, tmp_path: Path
) -> None:
    images = np.random.default_rng(1).random((3, 8, 8, 1), np.float32)
    np.save(tmp_path / "images.npy", images)
    script = Path(__file__).with_name("kserve_calls.py")
    command = [KSERVE_PYTHON, script, server.facts["listen"], model, tmp_path / "images.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    output = ["output", list(images.shape), "FP32"]
    told = {"live": True, "ready": True, "model": True, "raw": output, "typed": output}
    assert json.loads(done.stdout) == told
    request = pb.PredictRequest(model=model, input=tensor_from_array(images))
    expected = array_from_tensor(server.prediction.Predict(request).output)
    for name in ("raw", "typed"):
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), expected)


def test_metadata_says_what_a_model_takes_and_gives(ask: Callable[..., Any], model: str) -> None:
    answer = ask("ModelMetadata", name=model)
    tensors = [(one.name, one.datatype, list(one.shape)) for one in answer.outputs]
    assert [(one.name, one.datatype, list(one.shape)) for one in answer.inputs] == [
        ("input", "FP32", [-1, 8, 8, 1])
    ]
    assert tensors == [("output", "FP32", [-1, 8, 8, 2]), ("labels", "UINT8", [-1, 8, 8])]
    assert (answer.name, list(answer.versions), answer.platform) == (model, ["1"], "dlae")


@pytest.mark.parametrize("datatype", sorted(oip.DATATYPES))
def test_elements_of_every_type_come_raw_and_one_by_one(
    ask: Callable[..., Any], model: str, datatype: str
) -> None:
    images = (IMAGES % 2 if datatype == "BOOL" else IMAGES % 127).astype(oip.DATATYPES[datatype])
    inputs = [tensor(images, datatype)]
    answer = ask(
        "ModelInfer", model_name=model, inputs=inputs, raw_input_contents=[images.tobytes()]
    )
    np.testing.assert_array_equal(raw(answer), images.astype(np.float32) * 2)
    assert (answer.model_name, answer.model_version) == (model, "1")
    if datatype in oip.CONTENTS:
        contents = {oip.CONTENTS[datatype]: images.reshape(-1).tolist()}
        inputs = [tensor(images, datatype, **contents)]
        again = ask("ModelInfer", model_name=model, inputs=inputs)
        assert again.raw_output_contents == answer.raw_output_contents


@pytest.mark.parametrize(
    ("parameters", "changes"),
    [
        ({"threshold": {"double_param": 0.25}}, {"threshold": 0.25}),
        ({"threshold": {"int64_param": 1}}, {"threshold": 1.0}),
        ({"threshold": {"string_param": "None"}}, {"most_probable": True}),
        ({"flips": {"string_param": "[0, 2]"}}, {"flips": {"axes": [0, 2]}}),
        ({"flips": {"int64_param": 1}}, {"flips": {"axes": [1]}}),
        ({"flips": {"string_param": "None"}}, {"flips": {}}),
        ({"fill_holes_switch": {"bool_param": False}}, {"fill_holes_switch": False}),
        ({"resize_switch": {"string_param": "True"}}, {"resize_switch": True}),
        ({"tile_blend": {"string_param": "average"}}, {"tile_blend": "average"}),
        ({"images_at_once": {"uint64_param": 3}}, {"images_at_once": 3}),
        ({"priority": {"uint64_param": 1}, "timeout": {"int64_param": 7}}, {}),
    ],
)
def test_parameters_are_options_by_their_names(
    parameters: dict[str, Any], changes: dict[str, Any]
) -> None:
    request = oip.message("ModelInferRequest")(parameters=parameters)
    found = pb.PredictOptions.FromString(options_of(values_of(request.parameters)))
    assert found == pb.PredictOptions(**changes)


@pytest.mark.parametrize(
    "parameters",
    [
        {"treshold": 0.5},
        {"threshold": "half"},
        {"threshold": True},
        {"threshold": 1.5},
        {"threshold": "nan"},
        {"flips": "rows"},
        {"flips": 7},
        {"flips": True},
        {"images_at_once": 0},
        {"images_at_once": 1.5},
        {"images_at_once": "9" * 5000},
        {"tile_blend": "soft"},
        {"tile_blend": 1},
        {"resize_switch": 1},
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptions) as caught:
        options_of(parameters)
    assert next(iter(parameters)) in str(caught.value)
    assert len(str(caught.value)) < 400


def test_priority_and_timeout_are_whole_numbers() -> None:
    assert (is_urgent({}), is_urgent({"priority": 1}), is_urgent({"priority": 2})) == (1, 1, 0)
    assert (seconds_of({}), seconds_of({"timeout": 2_500_000})) == (None, 2.5)
    for name, read in (("priority", is_urgent), ("timeout", seconds_of)):
        for value in (-1, 0.5, "1", True):
            with pytest.raises(InvalidRequest, match=name):
                read({name: value})


def test_a_request_is_given_up_at_its_own_timeout(ask: Callable[..., Any], model: str) -> None:
    images = np.full((1, 8, 8, 1), SLOW, np.float32)
    fields = {"inputs": [tensor(images, "FP32")], "raw_input_contents": [images.tobytes()]}
    ask("ModelInfer", model_name=model, **fields)
    with pytest.raises(grpc.RpcError) as caught:
        ask("ModelInfer", model_name=model, parameters={"timeout": {"int64_param": 5000}}, **fields)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(caught.value) == "OUT_OF_TIME"


SHORT = np.zeros((1, 8, 8, 1), np.int16)
TYPED = {"int_contents": [0] * 64}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": []}, "INVALID_REQUEST"),
        ({"inputs": [tensor(SHORT), tensor(SHORT)]}, "INVALID_REQUEST"),
        ({"inputs": [{**tensor(SHORT), "name": "image"}]}, "INVALID_REQUEST"),
        ({"inputs": [tensor(SHORT)]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT)], "raw_input_contents": [b"1"]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT)], "raw_input_contents": [b"", b""]}, "INVALID_REQUEST"),
        (
            {"inputs": [tensor(SHORT, **TYPED)], "raw_input_contents": [SHORT.tobytes()]},
            "INVALID_REQUEST",
        ),
        ({"inputs": [tensor(SHORT, "FP16", fp32_contents=[0] * 64)]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT, "FP32", **TYPED)]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT, "INT8", int_contents=[128] * 64)]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT, "UINT16", uint_contents=[65536] * 64)]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT, "BYTES", bytes_contents=[b""] * 64)]}, "INVALID_TENSOR"),
        ({"inputs": [{**tensor(SHORT), "shape": [-1, -64]}]}, "INVALID_TENSOR"),
        ({"inputs": [{**tensor(SHORT), "shape": [1 << 62, 1 << 62]}]}, "INVALID_TENSOR"),
        ({"inputs": [tensor(SHORT, **TYPED)], "outputs": [{"name": "x"}]}, "INVALID_REQUEST"),
        ({"inputs": [tensor(SHORT, **TYPED)], "model_version": "0"}, "INVALID_REQUEST"),
    ],
)
def test_a_request_that_means_nothing_is_refused(
    ask: Callable[..., Any], model: str, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask("ModelInfer", model_name=model, **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value) == reason


def test_an_image_that_does_not_suit_the_model_is_refused_as_predict_does(
    ask: Callable[..., Any], model: str
) -> None:
    images = np.full((1, 8, 8, 1), np.nan, np.float32)
    with pytest.raises(grpc.RpcError) as caught:
        ask(
            "ModelInfer",
            model_name=model,
            inputs=[tensor(images, "FP32")],
            raw_input_contents=[images.tobytes()],
        )
    assert reason_of(caught.value) == "INVALID_IMAGE"


def test_statistics_tell_what_a_model_has_done(
    server: ServerProcess, ask: Callable[..., Any]
) -> None:
    name = server.trained("counted").name
    inputs = [tensor(IMAGES)]
    for images in (IMAGES, IMAGES):
        ask("ModelInfer", model_name=name, inputs=inputs, raw_input_contents=[images.tobytes()])
    empty = [tensor(IMAGES.astype(np.float32), "FP32", fp32_contents=[np.nan] * IMAGES.size)]
    with pytest.raises(grpc.RpcError):
        ask("ModelInfer", model_name=name, inputs=empty)
    (told,) = ask("ModelStatistics", name=name).model_stats
    assert (told.name, told.version) == (name, "1")
    assert (told.inference_count, told.execution_count) == (4, 2)
    times = told.inference_stats
    assert (times.success.count, times.fail.count, times.compute_infer.count) == (2, 1, 2)
    assert times.success.ns > times.compute_infer.ns > 0
    assert abs(told.last_inference / 1e3 - time.time()) < 60


def test_the_index_of_loaded_models_leaves_out_the_others(
    server: ServerProcess, ask: Callable[..., Any], model: str
) -> None:
    server.trained("never-asked")
    every = {one.name for one in ask("RepositoryIndex").models}
    loaded = {one.name for one in ask("RepositoryIndex", ready=True).models}
    assert every - loaded == {"never-asked"}


def test_a_detector_gives_boxes_first() -> None:
    found = models_pb2.Model(
        name="finds", version=1, family="BBD", input_shape=[8, 8, 1], output_shape=[80, 15]
    )
    outputs = oip.metadata(found).outputs
    shapes = {row.name: (row.datatype, list(row.shape)) for row in outputs}
    assert shapes == {"boxes": ("FP32", [-1, -1, 6]), "output": ("FP32", [-1, 80, 15])}
    request = oip.message("ModelInferRequest")()
    assert oip.requested(request, found) == ["boxes"]
    request.outputs.add(name="labels")
    with pytest.raises(InvalidRequest, match="'boxes' and 'output'"):
        oip.requested(request, found)
