"""What a detector's loss is made of, and how many of its object anchors are classed rightly."""

from typing import Any

from keras import ops

from dlae.v1.config_pb2 import Monitors as MonitorSettings
from dlae_core.losses.detection import BOX_COLUMNS, ssd_terms
from dlae_core.monitors.monitor import Float64, Monitor, Monitors


def detection_monitors(settings: MonitorSettings, negatives: float) -> Monitors:
    """Returns the metrics of detectors; the average precision needs more than sums.

    `classification_loss` and `localization_loss` are the two terms of the loss, `accuracy` is that
    of the anchors that stand for objects: 1 where there are none.

    Differs: DLAE 1.0 compared targets and outputs, anchors and all, which means nothing.

    Args:
        settings: Which metrics are asked for.
        negatives: Background anchors kept for each object anchor.
    """
    found = [_terms(negatives)]
    if settings.accuracy_switch:
        found.append(Monitor(2, _hits, _share))
    return Monitors(found)


def _terms(negatives: float) -> Monitor:
    def sums(y_true: Any, y_pred: Any) -> Any:
        classification, localization = ssd_terms(y_true, y_pred, negatives)
        samples = ops.cast(ops.shape(y_pred)[0], "float32")
        return ops.stack([samples * classification, samples * localization, samples])

    def results(total: Float64) -> dict[str, float]:
        classification, localization, samples = total.tolist()
        return {
            "classification_loss": classification / samples,
            "localization_loss": localization / samples,
        }

    return Monitor(3, sums, results)


def _hits(y_true: Any, y_pred: Any) -> Any:
    """Returns how many object anchors are classed rightly, and how many there are."""
    truth, found = (rows[..., :-BOX_COLUMNS] for rows in (y_true, y_pred))
    objects = ops.max(truth[..., 1:], axis=-1)
    right = ops.equal(ops.argmax(truth, -1), ops.argmax(found, -1))
    return ops.stack([ops.sum(objects * ops.cast(right, "float32")), ops.sum(objects)])


def _share(total: Float64) -> dict[str, float]:
    hits, objects = total.tolist()
    return {"accuracy": hits / objects if objects else 1.0}
