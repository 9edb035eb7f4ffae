"""Bodies of the protocol's HTTP form: elements of every type, and what means nothing."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae_core.errors import DlaeError, InvalidTensor
from dlae_server import oip
from dlae_server.errors import InvalidRequest, TensorTooLarge
from dlae_server.rest import messages
from dlae_server.rest.messages import infer_request, infer_response
from dlae_server.serving.answers import Answer


def body(data: Any, datatype: str = "FP32", **fields: Any) -> bytes:
    """Returns a request for two elements."""
    tensor = {"name": "input", "datatype": datatype, "shape": [2], "data": data}
    return json.dumps({"inputs": [tensor], **fields}).encode()


@pytest.mark.parametrize("datatype", sorted(oip.DATATYPES))
def test_lists_become_the_elements_that_they_say(datatype: str) -> None:
    dtype = np.dtype(oip.DATATYPES[datatype])
    values = [True, False] if datatype == "BOOL" else [0, 100]
    (raw,) = infer_request(body(values, datatype), None).message.raw_input_contents
    assert raw == np.array(values, dtype).tobytes()
    (nested,) = infer_request(
        body([[value] for value in values], datatype), None
    ).message.raw_input_contents
    assert nested == raw


def test_whole_numbers_keep_all_their_digits() -> None:
    for datatype, value in (("INT64", -(2**63)), ("UINT64", 2**64 - 1), ("INT64", 2**53 + 1)):
        (raw,) = infer_request(body([value], datatype), None).message.raw_input_contents
        assert np.frombuffer(raw, oip.DATATYPES[datatype])[0] == value


@pytest.mark.parametrize(
    ("data", "datatype"),
    [
        (None, "FP32"),
        (1, "FP32"),
        (["1", "2"], "FP32"),
        ([1, "2"], "FP32"),
        ([[1], [2, 3]], "FP32"),
        ([{}], "FP32"),
        ([None], "FP32"),
        ([1.5], "INT16"),
        ([True], "INT16"),
        ([1], "BOOL"),
        ([128], "INT8"),
        ([-1], "UINT64"),
        ([2**64], "UINT64"),
        ([1], "BYTES"),
        ([1], "BF16"),
    ],
)
def test_elements_that_do_not_suit_their_type_are_refused(data: Any, datatype: str) -> None:
    with pytest.raises(InvalidTensor) as caught:
        infer_request(body(data, datatype), None)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs": {}},
        {"inputs": [3]},
        {"inputs": [{"name": 1, "datatype": "FP32", "shape": [1], "data": [1]}]},
        {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1.5], "data": [1]}]},
        {"inputs": [{"name": "input", "datatype": "FP32", "shape": [2**63], "data": [1]}]},
        {"outputs": [{}]},
        {"id": 7},
        {"parameters": 7},
        {"parameters": {"threshold": None}},
        {"parameters": {"images_at_once": 2**70}},
    ],
)
def test_fields_of_other_types_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        infer_request(body([1, 2], **fields), None)


def test_sizes_that_do_not_add_up_are_refused() -> None:
    tensor = {"name": "input", "datatype": "FP32", "shape": [2]}
    for size, rest, end in (
        (8, b"1234567", None),
        (-1, b"", None),
        (4, b"12345", None),
        (0, b"", 10**6),
    ):
        text = json.dumps(
            {"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}
        ).encode()
        with pytest.raises(InvalidRequest):
            infer_request(text + rest, len(text) if end is None else end)
    both = {**tensor, "data": [1, 2], "parameters": {"binary_data_size": 0}}
    with pytest.raises(InvalidRequest, match="both"):
        infer_request(json.dumps({"inputs": [both]}).encode(), None)


def test_json_is_bounded_and_binary_data_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "JSON_BYTES", 300)
    with pytest.raises(TensorTooLarge):
        infer_request(body([1] * 200), None)
    with pytest.raises(InvalidRequest, match="JSON"):
        infer_request(b"[" * 290, None)
    tensor = {"name": "input", "datatype": "UINT8", "shape": [900]}
    text = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 900}}]}).encode()
    asked = infer_request(text + bytes(900), len(text))
    assert asked.message.raw_input_contents[0] == bytes(900)


def test_each_output_goes_as_it_is_wanted() -> None:
    wanted = [{"name": "output", "parameters": {"binary_data": True}}, {"name": "labels"}]
    asked = infer_request(body([1, 2], outputs=wanted), None)
    answer = oip.message("ModelInferResponse")(model_name="m", model_version="3")
    values = np.array([0.1, 1e-30], np.float32)
    oip.add_output(answer, "output", Answer("<f4", (2,), [values.tobytes()]))
    oip.add_output(answer, "labels", Answer("|u1", (1, 2), [b"\x01\xff"]))
    content, end = infer_response(answer, asked)
    first, second = json.loads(content[:end])["outputs"]
    assert (first["parameters"], content[end:]) == ({"binary_data_size": 8}, values.tobytes())
    assert (second["data"], second["shape"]) == ([1, 255], [1, 2])
    content, end = infer_response(answer, infer_request(body([1, 2]), None))
    assert end is None
    numbers = np.array(json.loads(content)["outputs"][0]["data"], np.float32)
    assert numbers.tobytes() == values.tobytes()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "inputs": st.lists(
                st.fixed_dictionaries(
                    {"name": st.just("input"), "datatype": st.sampled_from(["FP32", "INT8", ""])},
                    optional={"shape": JSON, "data": JSON, "parameters": JSON},
                )
            )
            | JSON,
            "outputs": JSON,
            "parameters": JSON,
            "id": JSON,
        },
    ),
    st.none() | st.integers(0, 200),
)
def test_no_body_is_a_fault_of_ours(fields: dict[str, Any], end: int | None) -> None:
    with suppress(DlaeError):
        infer_request(json.dumps(fields).encode(), end)
