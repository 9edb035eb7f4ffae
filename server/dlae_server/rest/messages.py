"""JSON and binary data of the protocol's HTTP form, to and from its messages.

A body is JSON, followed by the elements of tensors where the header
`Inference-Header-Content-Length` says where the JSON ends: the extension binary_tensor_data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import Message as ProtobufMessage

from dlae_core.errors import InvalidTensor
from dlae_server import oip
from dlae_server.errors import InvalidRequest, TensorTooLarge
from dlae_server.oip import Message

BINARY, BINARY_SIZE, BINARY_OUTPUT = "binary_data", "binary_data_size", "binary_data_output"
# Numbers as text: parsing them keeps all other calls waiting.
JSON_BYTES = 16 << 20
# Kinds of NumPy's types that numbers of JSON become -> those of tensors that they may be.
_KINDS = {"b": "b", "i": "iuf", "u": "iuf", "f": "f"}


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        message: It, as a message `ModelInferRequest`.
        binary: Outputs that are wanted as binary data.
        all_binary: Whether those are that are not named.
    """

    message: Message
    binary: frozenset[str]
    all_binary: bool


def infer_request(body: bytes, json_size: int | None) -> Asked:
    """Returns what a body asks for.

    Args:
        body: All of it.
        json_size: Where its JSON ends; None: at its end.

    Raises:
        InvalidRequest: It is none of the protocol's.
        InvalidTensor: Elements do not fit type and shape.
        TensorTooLarge: There is more JSON than the server takes.
    """
    size = len(body) if json_size is None else json_size
    if size > len(body):
        raise InvalidRequest(f"expected at least {size} bytes, as the header says, got {len(body)}")
    if size > JSON_BYTES:
        raise TensorTooLarge(size, JSON_BYTES)
    fields = _object(body[:size])
    request = oip.message("ModelInferRequest")()
    if "id" in fields:
        request.id = _text(fields, "id")
    parameters = dict(_mapping(fields, "parameters"))
    all_binary = bool(parameters.pop(BINARY_OUTPUT, False))
    _add_parameters(request, parameters)
    rest = memoryview(body)[size:]
    for given in _list(fields, "inputs"):
        rest = _add_input(request, given, rest)
    if rest:
        raise InvalidRequest(f"expected no bytes after those of the inputs, got {len(rest)}")
    binary = set()
    for wanted in _list(fields, "outputs"):
        name, chosen = _text(wanted, "name"), dict(_mapping(wanted, "parameters"))
        if chosen.pop(BINARY, all_binary):
            binary.add(name)
        output = request.outputs.add(name=name)
        _add_parameters(output, chosen)
    return Asked(request, frozenset(binary), all_binary and not request.outputs)


def infer_response(answer: Message, asked: Asked) -> tuple[bytes, int | None]:
    """Returns a body, and where its JSON ends where binary data follows.

    Args:
        answer: A message `ModelInferResponse`.
        asked: What was asked for.
    """
    head = {"model_name": answer.model_name, "model_version": answer.model_version}
    if answer.id:
        head["id"] = answer.id
    outputs, binary = [], []
    for output, data in zip(answer.outputs, answer.raw_output_contents, strict=True):
        row = {"name": output.name, "datatype": output.datatype, "shape": list(output.shape)}
        parameters = {name: given.string_param for name, given in output.parameters.items()}
        if asked.all_binary or output.name in asked.binary:
            binary.append(data)
            parameters[BINARY_SIZE] = len(data)
        else:
            row["data"] = np.frombuffer(data, oip.DATATYPES[output.datatype]).tolist()
        if parameters:
            row["parameters"] = parameters
        outputs.append(row)
    text = json.dumps({**head, "outputs": outputs}, separators=(",", ":")).encode()
    return b"".join((text, *binary)), len(text) if binary else None


def as_object(message: Message) -> dict[str, Any]:
    """Returns a message as JSON has it: numbers as numbers, words for enums, all fields."""
    result: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if isinstance(value, ProtobufMessage):
            if message.HasField(field.name):
                result[field.name] = as_object(value)
        elif field.enum_type is not None:
            result[field.name] = field.enum_type.values_by_number[value].name
        elif isinstance(value, str | int | float):
            result[field.name] = value
        elif isinstance(value, Mapping):
            result[field.name] = dict(value)
        else:
            messages = field.message_type is not None
            result[field.name] = [as_object(item) if messages else item for item in value]
    return result


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"expected JSON, got what cannot be read: {error}"[:300]) from error
    if not isinstance(found, dict):
        raise InvalidRequest(f"expected a JSON object, got {type(found).__name__}")
    return found


def _add_input(request: Message, given: Mapping[str, Any], rest: memoryview) -> memoryview:
    """Adds an input with its elements; returns the bytes that belong to others."""
    shape = given.get("shape")
    if not isinstance(shape, list) or not all(_is_axis(length) for length in shape):
        raise InvalidRequest(f"expected a list of whole numbers for 'shape', got {_shown(shape)}")
    datatype = _text(given, "datatype")
    if datatype not in oip.DATATYPES:
        known = ", ".join(oip.DATATYPES)
        raise InvalidTensor(f"expected a data type of {known}, got '{datatype[:20]}'")
    request.inputs.add(name=_text(given, "name"), datatype=datatype, shape=shape)
    size = _mapping(given, "parameters").get(BINARY_SIZE)
    if size is None:
        request.raw_input_contents.append(_elements(given.get("data"), datatype))
        return rest
    if "data" in given:
        raise InvalidRequest(f"expected either 'data' or '{BINARY_SIZE}', got both")
    if not _is_axis(size) or not 0 <= size <= len(rest):
        raise InvalidRequest(f"expected '{BINARY_SIZE}' up to {len(rest)}, got {_shown(size)}")
    request.raw_input_contents.append(bytes(rest[:size]))
    return rest[size:]


def _elements(data: Any, datatype: str) -> bytes:
    """Returns elements that came as a list, nested or not, as bytes."""
    dtype = np.dtype(oip.DATATYPES[datatype])
    if not isinstance(data, list):
        raise InvalidTensor(f"expected a list for 'data', got {_shown(data)}")
    try:
        found = np.array(data)
    except (ValueError, OverflowError) as error:
        raise InvalidTensor("expected lists of equal length for 'data'") from error
    if found.size and dtype.kind not in _KINDS.get(found.dtype.kind, ""):
        raise InvalidTensor(f"expected elements of {datatype} in 'data', got {found.dtype}")
    if found.size and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if int(found.min()) < limits.min or int(found.max()) > limits.max:
            raise InvalidTensor(
                f"expected elements from {limits.min} to {limits.max} for {datatype}, got "
                f"{found.min()} to {found.max()}"
            )
    with np.errstate(over="ignore"):
        return found.astype(dtype).tobytes()


def _add_parameters(message: Message, parameters: Mapping[str, Any]) -> None:
    for name, given in parameters.items():
        value = str(given) if isinstance(given, list) else given
        for kind, field in _PARAMETERS.items():
            if type(value) is kind:
                try:
                    setattr(message.parameters[name], field, value)
                except ValueError as error:
                    raise InvalidRequest(f"expected 64 bits for '{name[:80]}'") from error
                break
        else:
            raise InvalidRequest(
                f"expected a truth value, number or text for the parameter '{name[:80]}', got "
                f"{_shown(value)}"
            )


def _is_axis(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f"expected a text for '{name}', got {_shown(value)}")
    return value


def _list(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = fields.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidRequest(f"expected a list of objects for '{name}', got {_shown(value)}")
    return value


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name, {})
    if not isinstance(value, dict):
        raise InvalidRequest(f"expected an object for '{name}', got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)[:80]


_PARAMETERS = {
    bool: "bool_param",
    int: "int64_param",
    float: "double_param",
    str: "string_param",
}
