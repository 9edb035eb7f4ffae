"""Rules about what training minimizes, how it moves the weights, and what it reports."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.loss_kinds import (
    CLASSIFICATION_LOSSES,
    LOSSES_OF_MODELS,
    REGRESSION_LOSSES,
    WEIGHTED_LOSSES,
)
from dlae_core.errors import Violation

ADDITIONAL = "loss_function.additional_losses"
WEIGHTED = "preprocessing.weight_loss_switch"
CLIP_NORM, CLIP_VALUE = "optimizer.gradient_clip_norm", "optimizer.gradient_clip_value"
WARM_UP, WARM_UP_UNIT = (f"learning_rate_schedule.warm_up_{key}" for key in ("length", "unit"))
EPOCHS = "training_configurations.epochs"
# Metrics that DLAE 1.0 did not have, of classes and of points.
OF_CLASSES = tuple(
    f"monitors.{name}_switch" for name in ("dice", "iou", "auc", "sensitivity", "specificity")
)
OF_POINTS = "monitors.coordinate_error_switch"


def additional_losses(config: Config) -> Iterator[Violation]:
    """Losses that are added compare what the loss compares, and suit the model."""
    model, main = config.config_file.model_signal, config.loss_function.loss
    for item, one in enumerate(config.loss_function.additional_losses):
        path = f"{ADDITIONAL}[{item}].loss"
        if model in LOSSES_OF_MODELS:
            sentence = f"expected no further losses because model_signal is {model}, got one"
            yield Violation(ADDITIONAL, "LOSS_MISMATCH", sentence)
            return
        if main in REGRESSION_LOSSES and one.loss in CLASSIFICATION_LOSSES:
            sentence = f"expected a loss of values because {main} compares values, got '{one.loss}'"
            yield Violation(path, "LOSS_MISMATCH", sentence)
        elif model == "CNN" and one.loss == "tversky":
            sentence = (
                "expected a loss per image because model_signal is CNN, got 'tversky' (FCN only)"
            )
            yield Violation(path, "LOSS_MISMATCH", sentence)


def weighted_losses(config: Config) -> Iterator[Violation]:
    """Class weights are switched on where a loss compares pixel by pixel.

    Differs: DLAE 1.0 ignores the switch (F1).
    """
    settings = config.loss_function
    names = (settings.loss, *(one.loss for one in settings.additional_losses))
    if config.preprocessing.weight_loss_switch and not set(names) & set(WEIGHTED_LOSSES):
        sentence = (
            f"expected False because {settings.loss} does not compare classes pixel by pixel, got "
            f"True; {', '.join(WEIGHTED_LOSSES)} do"
        )
        yield Violation(WEIGHTED, "LOSS_MISMATCH", sentence)


def one_clipping(config: Config) -> Iterator[Violation]:
    """The gradient is limited in one way."""
    settings = config.optimizer
    if settings.HasField("gradient_clip_norm") and settings.HasField("gradient_clip_value"):
        sentence = (
            "expected None because gradient_clip_norm is given, got "
            f"{settings.gradient_clip_value:g}; limit one or the other"
        )
        yield Violation(CLIP_VALUE, "CONTRADICTION", sentence)


def metrics_of_classes(config: Config) -> Iterator[Violation]:
    """Metrics of classes are asked for where there are classes."""
    loss = config.loss_function.loss
    if loss in CLASSIFICATION_LOSSES:
        return
    for path in OF_CLASSES:
        if getattr(config.monitors, path.partition(".")[2]):
            sentence = f"expected False because {loss} does not compare classes, got True"
            yield Violation(path, "LOSS_MISMATCH", sentence)


def metrics_of_points(config: Config) -> Iterator[Violation]:
    """The error of coordinates is asked for where there are coordinates."""
    model, loss = config.config_file.model_signal, config.loss_function.loss
    kind = config.preprocessing.annotation_type
    points = model == "CNN" and loss in REGRESSION_LOSSES and kind == "coordinates"
    if config.monitors.coordinate_error_switch and not points:
        sentence = (
            "expected False, got True; it needs a CNN with a loss of values and annotation_type "
            "coordinates"
        )
        yield Violation(OF_POINTS, "CONTRADICTION", sentence)


def long_warm_up(config: Config) -> Iterator[Violation]:
    """Warns of a warm-up in which training ends."""
    schedule, epochs = config.learning_rate_schedule, config.training_configurations.epochs
    if schedule.warm_up_unit == "epochs" and schedule.warm_up_length >= epochs:
        sentence = (
            f"training has {epochs} epochs and ends before the warm-up of "
            f"{schedule.warm_up_length} does"
        )
        yield Violation(WARM_UP, "LONG_WARM_UP", sentence)
