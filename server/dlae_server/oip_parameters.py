"""What the parameters of the Open Inference Protocol mean here.

A request's parameters are settings of the section `prediction`, by their names and in the words of
a configuration (`threshold` 0.5 or `None`, `flips` 1 or `0, 1`), and `confidence_threshold`; beside
them `priority` and `timeout` of Triton's extension schedule_policy, and `provenance`, whether the
audit log records the outputs and the answer tells where. Others are refused: whoever ignores a
misspelt option answers something else than was asked for.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dlae.v1.prediction_pb2 import FlipAxes, PredictOptions
from dlae_core.errors import InvalidOptions
from dlae_core.prediction.options import check
from dlae_server.errors import InvalidRequest

PRIORITY, TIMEOUT, PROVENANCE = "priority", "timeout", "provenance"
_OF_THE_CALL = (PRIORITY, TIMEOUT, PROVENANCE)
# From this priority on a request waits for others; below it, 0 is Triton's default.
PATIENT = 2
# They say how tensors travel, or are what clients add of themselves.
TRANSPORT = frozenset({"binary_data_output", "triton_enable_empty_final_response"})
_LIST = re.compile(r"[\[(]?\s*((?:\d{1,4}(?:\s*,\s*\d{1,4})*)?)\s*,?\s*[\])]?")
_LONGEST = 100

Value: TypeAlias = bool | int | float | str


def values_of(parameters: Mapping[str, Any]) -> dict[str, Value]:
    """Returns the values of parameters.

    Args:
        parameters: Messages `InferParameter` by name.

    Raises:
        InvalidRequest: One has none.
    """
    found: dict[str, Value] = {}
    for name, parameter in parameters.items():
        kind = parameter.WhichOneof("parameter_choice")
        if kind is None:
            raise InvalidRequest(f"expected a value for the parameter '{name[:80]}', got none")
        found[name] = getattr(parameter, kind)
    return found


def options_of(values: Mapping[str, Value]) -> bytes:
    """Returns the options that parameters are, as a model's process takes them.

    Raises:
        InvalidOptions: A value is of the wrong type, out of its range, or there is no such option.
    """
    if not values:
        return b""
    asked = PredictOptions()
    for name, value in values.items():
        if name in TRANSPORT or name in _OF_THE_CALL:
            continue
        if name not in _SETTERS:
            known = ", ".join((*_SETTERS, *_OF_THE_CALL))
            raise InvalidOptions(f"expected parameters of {known}, got '{name[:80]}'")
        _SETTERS[name](asked, name, value)
    check(asked)
    return asked.SerializeToString(deterministic=True)


def is_urgent(values: Mapping[str, Value]) -> bool:
    """Returns whether a request goes before those that can wait.

    Raises:
        InvalidRequest: The priority is not a whole number from 0.
    """
    return _whole(values, PRIORITY) < PATIENT


def seconds_of(values: Mapping[str, Value]) -> float | None:
    """Returns the time that a request may take, in seconds; None: any.

    Raises:
        InvalidRequest: The timeout is not a whole number from 0.
    """
    return _whole(values, TIMEOUT) / 1e6 or None


def wants_provenance(values: Mapping[str, Value]) -> bool:
    """Returns whether the answer has to tell which record of the audit log proves it.

    Raises:
        InvalidOptions: It is neither true nor false.
    """
    return _is_true(PROVENANCE, values.get(PROVENANCE, False))


def _whole(values: Mapping[str, Value], name: str) -> int:
    value = values.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidRequest(f"expected a whole number from 0 for '{name}', got {_shown(value)}")
    return value


def _is_true(name: str, value: Value) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, str):
        value = words.get(value.lower(), value)
    if not isinstance(value, bool):
        raise InvalidOptions(f"expected True or False for '{name}', got {_shown(value)}")
    return value


def _truth(asked: PredictOptions, name: str, value: Value) -> None:
    setattr(asked, name, _is_true(name, value))


def _number(asked: PredictOptions, name: str, value: Value) -> None:
    try:
        number = float("" if isinstance(value, bool) else value)
    except (ValueError, OverflowError) as error:
        raise InvalidOptions(f"expected a number for '{name}', got {_shown(value)}") from error
    setattr(asked, name, number)


def _count(asked: PredictOptions, name: str, value: Value) -> None:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidOptions(f"expected a whole number for '{name}', got {_shown(value)}")
    setattr(asked, name, int(text))


def _word(asked: PredictOptions, name: str, value: Value) -> None:
    if not isinstance(value, str):
        raise InvalidOptions(f"expected a word for '{name}', got {_shown(value)}")
    setattr(asked, name, value)


def _threshold(asked: PredictOptions, name: str, value: Value) -> None:
    if value == "None":
        asked.most_probable = True
    else:
        _number(asked, name, value)


def _axes(asked: PredictOptions, name: str, value: Value) -> None:
    text = "" if value == "None" else str(value)
    match = _LIST.fullmatch(text)
    if isinstance(value, bool) or match is None:
        raise InvalidOptions(f"expected axes such as '0, 1' for '{name}', got {_shown(value)}")
    asked.flips.CopyFrom(FlipAxes(axes=[int(axis) for axis in match[1].split(",") if axis]))


def _shown(value: Value) -> str:
    return repr(value)[:_LONGEST]


_SETTERS: dict[str, Callable[[PredictOptions, str, Value], None]] = {
    "threshold": _threshold,
    "largest_component_switch": _truth,
    "fill_holes_switch": _truth,
    "tile_overlap": _number,
    "tile_blend": _word,
    "flips": _axes,
    "images_at_once": _count,
    "resize_switch": _truth,
    "annotation_units_switch": _truth,
    "confidence_threshold": _number,
    "precision": _word,
}
