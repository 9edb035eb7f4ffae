"""Rules about how a model predicts."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.config.loss_kinds import CLASSIFICATION_LOSSES
from dlae_core.config.wording import shown
from dlae_core.errors import Violation

FLIPS = "prediction.flips"

_PER_PIXEL = ("largest_component_switch", "fill_holes_switch")


def flipped_axes(config: Config) -> Iterator[Violation]:
    """Axes to flip are axes of the images, each named once, of a model that is no detector."""
    axes = tuple(config.prediction.flips)
    if not axes:
        return
    if config.config_file.model_signal == "BBD":
        sentence = "expected None because boxes of mirror images have no mean; leave it out"
        yield Violation(FLIPS, "CONTRADICTION", sentence)
        return
    lists = lists_of_model(config)
    rank = len(lists[0].input_shape) - 1 if lists and lists[0].input_shape else 0
    if len(set(axes)) < len(axes) or (rank and max(axes) >= rank):
        known = tuple(range(rank or 3))
        sentence = f"expected different axes of {shown(known)}, got {shown(axes)}"
        yield Violation(FLIPS, "OUT_OF_RANGE", sentence)


def idle_settings(config: Config) -> Iterator[Violation]:
    """Warns of settings for labels where the model that is trained has none, or none per pixel."""
    loss, model = config.loss_function.loss, config.config_file.model_signal
    if config.config_file.type_signal == "Inference":
        return
    given = {
        "labels_switch": config.prediction.labels_switch,
        "threshold": config.prediction.HasField("threshold"),
        **{key: getattr(config.prediction, key) for key in _PER_PIXEL},
    }
    for key in (key for key, used in given.items() if used):
        if loss not in CLASSIFICATION_LOSSES:
            sentence = f"has no effect because {loss} does not compare classes"
            yield Violation(f"prediction.{key}", "NO_EFFECT", sentence)
        elif key in _PER_PIXEL and model != "FCN":
            sentence = "has no effect because model_signal is not FCN"
            yield Violation(f"prediction.{key}", "NO_EFFECT", sentence)
