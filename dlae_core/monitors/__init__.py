"""Quantities reported beside the loss.

A monitor turns a batch into a few sums inside the graph and the sums of an epoch into its metrics:
so nothing large leaves the graph, and a metric is that of the whole epoch, whatever the batches.

A metric where there is nothing to measure, as the sensitivity to a class that is absent, is 1, the
area under the curve 0.5; means leave such classes out.
"""

from typing import Any

from keras import ops

from dlae.v1.config_pb2 import Monitors as MonitorSettings
from dlae_core.data.targets import TargetKind
from dlae_core.losses.reduction import as_one_hot
from dlae_core.monitors.images import Range, psnr_monitor, ssim_monitor
from dlae_core.monitors.monitor import Float64, Monitor, Monitors, Truth, mean_of_samples
from dlae_core.monitors.parts import LossParts
from dlae_core.monitors.points import Points, point_monitors
from dlae_core.monitors.ranking import auc_monitor
from dlae_core.monitors.regions import region_monitor

__all__ = ["Float64", "LossParts", "Monitor", "Monitors", "Points", "Range", "build_monitors"]


def build_monitors(
    settings: MonitorSettings,
    target_kind: TargetKind,
    per_pixel: bool,
    classes: int,
    points: Points | None = None,
    values: Range | None = None,
) -> Monitors:
    """Returns the metrics that suit a task.

    Accuracy is that of class numbers or one-hot targets, whichever there are; Dice is added for
    segmentation.

    Differs: DLAE 1.0 took every target for one-hot (F5), and had errors and accuracy only.

    Args:
        settings: Which metrics are asked for.
        target_kind: What the loss compares the output with.
        per_pixel: Whether targets have the space of the images.
        classes: Number of classes; 0 for regression.
        points: What the numbers of a regression are, where they are coordinates.
        values: Between which values targets lie, where they are images of values.
    """
    truth = _truth(target_kind, classes)
    found = _pixel_monitors(settings, truth, classes)
    told = _regions_told(settings, per_pixel, classes)
    if told:
        # Class 0 is background in an image, and in one of two classes.
        first = 1 if per_pixel or classes == 2 else 0
        found.append(region_monitor(truth, classes, range(first, classes), told))
    if settings.auc_switch and classes > 1:
        found.append(auc_monitor(truth, classes))
    if settings.coordinate_error_switch and points is not None:
        found += point_monitors(points)
    if values is not None:
        found += [ssim_monitor(values)] if settings.ssim_switch else []
        found += [psnr_monitor(values)] if settings.psnr_switch else []
    return Monitors(found)


def _pixel_monitors(settings: MonitorSettings, truth: Truth, classes: int) -> list[Monitor]:
    def squares(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_pred - truth(y_true)))

    def sizes(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(y_pred - truth(y_true)))

    def right(y_true: Any, y_pred: Any) -> Any:
        hit = ops.equal(ops.argmax(truth(y_true), -1), ops.argmax(y_pred, -1))
        return ops.mean(ops.cast(hit, "float32"))

    chosen = (
        (settings.mse_switch, "mean_squared_error", squares),
        (settings.mae_switch, "mean_absolute_error", sizes),
        (settings.accuracy_switch and classes > 0, "accuracy", right),
    )
    return [mean_of_samples(name, of) for wanted, name, of in chosen if wanted]


def _regions_told(settings: MonitorSettings, per_pixel: bool, classes: int) -> dict[str, bool]:
    """Returns the measures of regions, each with whether it is told of every class as well."""
    if classes < 2:
        return {}
    several = classes > 2
    chosen = (
        (per_pixel or settings.dice_switch, "dice", settings.dice_switch),
        (settings.iou_switch, "iou", True),
        # Of two classes, that of one is the other's specificity.
        (settings.sensitivity_switch, "sensitivity", several),
        (settings.specificity_switch, "specificity", several),
    )
    return {name: of_every_class for wanted, name, of_every_class in chosen if wanted}


def _truth(target_kind: TargetKind, classes: int) -> Truth:
    """Returns what turns a target into the form of the output."""
    if target_kind == "sparse":
        return lambda y_true: as_one_hot(y_true, classes)
    return lambda y_true: y_true
