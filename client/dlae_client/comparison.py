"""Two versions of models side by side: what differs between them."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict

from dlae.v1.models_pb2 import Model

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Comparison:
    """What differs between two models; None where one has nothing of the kind.

    Attributes:
        first: Reference of the first, with its version.
        second: Reference of the second.
        facts: What they are and where they come from.
        settings: Settings of their configurations, by `section.key`.
        data: Content hashes of the files that they were trained with, by role.
        metrics: Final metrics, those that are equal included.
    """

    first: str
    second: str
    facts: dict[str, Pair]
    settings: dict[str, Pair]
    data: dict[str, Pair]
    metrics: dict[str, Pair]


def compare(first: Model, second: Model) -> Comparison:
    """Returns what differs between two models that `GetModel` gave."""
    metrics = sorted({*first.metrics, *second.metrics})
    return Comparison(
        first=f"{first.name}@{first.version}",
        second=f"{second.name}@{second.version}",
        facts=_differences(_facts(first), _facts(second)),
        settings=_differences(_settings(first), _settings(second)),
        data=_differences(_data(first), _data(second)),
        metrics={name: (_metric(first, name), _metric(second, name)) for name in metrics},
    )


def _differences(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Pair]:
    names = dict.fromkeys([*first, *second])
    pairs = {name: (first.get(name), second.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _facts(model: Model) -> dict[str, Any]:
    return {
        "family": model.family,
        "input": list(model.input_shape),
        "output": list(model.output_shape),
        "classes": model.classes,
        "weights": model.parameters,
        "seed": model.seed,
        "parent": model.parent,
        "dlae": model.dlae_version,
        "keras": model.keras_version,
    }


def _settings(model: Model) -> dict[str, Any]:
    sections = MessageToDict(model.config, preserving_proto_field_name=True)
    return {
        f"{section}.{key}": value
        for section, values in sections.items()
        for key, value in values.items()
    }


def _data(model: Model) -> dict[str, Any]:
    return {role: model.data[role].sha256 for role in sorted(model.data)}


def _metric(model: Model, name: str) -> float | None:
    return model.metrics.get(name)
