"""The best, the median and the worst case as pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dlae_client.cli.data import drawing
from dlae_client.cli.evaluate.work import Array, Work
from dlae_client.cli.tables import number
from dlae_core.data.source import SampleFile
from dlae_core.evaluation.cases import checked_sample
from dlae_core.evaluation.kinds import (
    CLASSIFICATION,
    COORDINATES,
    DETECTION,
    IMAGES,
    REGRESSION,
    SEGMENTATION,
)
from dlae_core.evaluation.measures import Key
from dlae_core.evaluation.result import Case, Result, Sample, exemplary
from dlae_core.evaluation.tasks import Task

_WIDTH = 3.0
_HEADING = 0.6

# Draws one picture of a sample: axes, image (rows, cols, channels), sample.
Draw = Callable[[Any, Array, Sample, Task], None]


def draw_cases(work: Work, result: Result, images: SampleFile) -> Any | None:
    """Returns a figure with a column per case; None where no case can be ranked.

    Of a group, the sample with most in its annotation is shown; of a volume, such a slice.
    """
    chosen = exemplary(result.cases)
    if not chosen:
        return None
    rows = _ROWS[work.task.kind]
    height, width = images.shape(chosen[0][1].samples[0])[:2]
    tall = len(rows) * _WIDTH * min(max(height / width, 0.3), 2.0)
    figure = drawing.new_figure(_WIDTH * len(chosen), tall + _HEADING)
    panels = figure.subplots(len(rows), len(chosen), squeeze=False)
    for column, (word, case) in enumerate(chosen):
        name = _telling(work, case)
        (predicted,) = work.predict([name])
        sample = checked_sample(work.task, work.data.annotations, name, predicted)
        image, flat = _plane(work.task, images.read(name), sample)
        for axes, (title, draw) in zip(panels[:, column], rows, strict=True):
            draw(axes, image, flat, work.task)
            axes.set(xticks=[], yticks=[])
            if column == 0:
                axes.set_ylabel(title, fontsize=9)
        heading = f"{word}: sample {name}\n{_caption(work.task, case)}"
        panels[0, column].set_title(heading, fontsize=8)
    if work.task.kind == SEGMENTATION:
        drawing.legend(figure, range(1, min(work.task.classes, 10)))
    return figure


def _telling(work: Work, case: Case) -> str:
    if len(case.samples) == 1:
        return case.samples[0]
    if work.task.kind != SEGMENTATION:
        return case.samples[len(case.samples) // 2]
    sizes = [int(np.count_nonzero(work.data.annotations.read(name))) for name in case.samples]
    return case.samples[int(np.argmax(sizes))]


def _plane(task: Task, image: Array, sample: Sample) -> tuple[Array, Sample]:
    """Returns image (rows, cols, channels) and sample; of a volume, the slice with most in it."""
    channels = image if image.ndim > task.axes else image[..., np.newaxis]
    if task.axes == 2:
        return channels, sample
    place = channels.shape[2] // 2
    if task.kind == SEGMENTATION and sample.reference.any():
        place = int(np.argmax(np.count_nonzero(sample.reference, axis=(0, 1))))
    if task.kind not in (SEGMENTATION, IMAGES):
        return channels[:, :, place], sample
    found, wanted = sample.predicted[:, :, place], sample.reference[:, :, place]
    return channels[:, :, place], Sample(sample.name, found, wanted)


def _caption(task: Task, case: Case) -> str:
    values = {key: value for key, value in case.values.items() if not key.subject}
    if task.kind == SEGMENTATION:
        return f"Dice {number(case.quality)}"
    if task.kind == COORDINATES:
        return ", ".join(f"{number(value)} {key.unit}" for key, value in values.items())
    if task.kind == IMAGES:
        named = {key.name: value for key, value in values.items()}
        return f"RMSE {number(named['rmse'])}, SSIM {number(named['ssim'])}"
    if task.kind == DETECTION:
        counts = (int(values[Key(name)]) for name in ("found", "objects", "false_alarms"))
        return "{} of {} found, {} false alarms".format(*counts)
    if task.kind == CLASSIFICATION:
        wanted, found = (int(values[Key(name)]) for name in ("reference", "predicted"))
        return f"class {wanted} ({number(case.quality)}), predicted {found}"
    sides = [
        ", ".join(number(value) for key, value in case.values.items() if key.name == name)
        for name in ("reference", "predicted")
    ]
    return "{}\npredicted {}".format(*(side[:40] for side in sides))


def _draw_image(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)


def _draw_wanted(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)
    drawing.draw_labels(axes, sample.reference)


def _draw_found(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)
    drawing.draw_labels(axes, sample.predicted)


def _draw_points(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)
    wanted, found = (side.reshape(-1, task.axes) for side in (sample.reference, sample.predicted))
    for start, end in zip(wanted, found, strict=True):
        axes.plot(*zip(start[1::-1], end[1::-1], strict=True), color="white", linewidth=0.8)
    sides = ((wanted, 2, "o", "annotation"), (found, 1, "+", "prediction"))
    for points, kind, mark, label in sides:
        style = {"color": drawing.colour(kind), "markersize": 8, "markeredgewidth": 1.4}
        axes.plot(points[:, 1], points[:, 0], mark, fillstyle="none", label=label, **style)
    axes.legend(fontsize=6, loc="lower right")


def _draw_objects(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)
    drawing.draw_boxes(axes, sample.reference)


def _draw_detections(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    drawing.draw_image(axes, image)
    sure = sample.predicted[sample.predicted[:, 1] > task.confidence]
    drawing.draw_boxes(axes, sure[:, [0, 2, 3, 4, 5]])


def _draw_made(which: str) -> Draw:
    """Returns what draws the annotation or the prediction with the annotation's intensities."""

    def draw(axes: Any, image: Array, sample: Sample, task: Task) -> None:
        side = sample.reference if which == "annotation" else sample.predicted
        drawing.draw_image(axes, side, drawing.window(sample.reference))

    return draw


def _draw_difference(axes: Any, image: Array, sample: Sample, task: Task) -> None:
    difference = (sample.predicted.astype(np.float64) - sample.reference).mean(axis=-1)
    most = float(np.abs(difference).max()) or 1.0
    shown = axes.imshow(difference, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    bar = axes.figure.colorbar(shown, ax=axes, location="bottom", shrink=0.9)
    bar.ax.tick_params(labelsize=6)


_ROWS: dict[str, tuple[tuple[str, Draw], ...]] = {
    CLASSIFICATION: (("image", _draw_image),),
    REGRESSION: (("image", _draw_image),),
    COORDINATES: (("image", _draw_points),),
    SEGMENTATION: (("annotation", _draw_wanted), ("prediction", _draw_found)),
    DETECTION: (("annotation", _draw_objects), ("prediction", _draw_detections)),
    IMAGES: (
        ("image", _draw_image),
        ("annotation", _draw_made("annotation")),
        ("prediction", _draw_made("prediction")),
        ("difference", _draw_difference),
    ),
}
