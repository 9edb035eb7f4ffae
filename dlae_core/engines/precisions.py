"""The numbers that a network calculates with, and which of them a model may be predicted with.

float32 is always there. With fewer bits a model is predicted with only where it was asked for when
the model was trained and then did nearly as well on the model's own validation samples; see
`training/accepting.py`.
"""

from collections.abc import Mapping
from typing import Any

from dlae.v1.config_pb2 import Config, Prediction
from dlae_core.bundle import Manifest
from dlae_core.config.schema import settings
from dlae_core.engines.choice import ENGINES, calculates, installed

FLOAT32, BFLOAT16, INT8 = PRECISIONS = settings(Prediction.DESCRIPTOR)["precision"].choices


def wanted_precisions(config: Config) -> tuple[str, ...]:
    """Returns the precisions besides float32 that a configuration wants of its model."""
    given = config.save_configurations
    own = config.prediction.precision
    switches = {BFLOAT16: given.bfloat16_switch, INT8: given.int8_switch}
    return tuple(name for name, wanted in switches.items() if wanted or name == own)


def precision_obstacle(manifest: Manifest, precision: str, engine: str | None = None) -> str:
    """Returns why a model cannot be predicted with in a precision, empty if it can.

    Args:
        manifest: What the model is.
        precision: One of `PRECISIONS`.
        engine: Name of the one engine that may be used; None: any.
    """
    if precision == FLOAT32:
        return ""
    found: Mapping[str, Any] | None = manifest.precisions.get(precision)
    if found is None:
        return "which the model was not tried in when it was trained"
    if "refused" in found:
        return f"which was refused when the model was trained: {found['refused']}"
    return _engine_obstacle(str(found.get("engine")), precision, engine)


def _engine_obstacle(judged: str, precision: str, engine: str | None) -> str:
    if judged not in ENGINES:
        return "which the model's manifest names no known engine for"
    if engine not in (None, judged):
        return f"which the model was accepted in for {judged} only, and this server uses {engine}"
    if not installed(judged):
        return f"which needs {judged}, and that is not installed here"
    return "" if calculates(judged, precision) else "which this processor has no instructions for"
