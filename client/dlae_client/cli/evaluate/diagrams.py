"""Diagrams: confusion, ROC, precision and recall, reliability, agreement, FROC."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_client.cli.data import drawing
from dlae_core.evaluation.classification import BINS, are_probabilities, bins_of, positives
from dlae_core.evaluation.numbers import LIMITS
from dlae_core.evaluation.result import Agreement, Curve, Scores

# More cells or lines than these cannot be told apart.
_MOST_TOLD, _MOST_LINES, _MOST_PANELS = 15, 9, 6
_SIDE = 4.2


def confusion(counts: NDArray[np.int64]) -> Any:
    """Returns a confusion matrix: counts, coloured by their share of the annotated class."""
    classes = len(counts)
    side = max(_SIDE, 1.6 + 0.55 * min(classes, _MOST_TOLD))
    figure, axes = _axes(side + 0.8, side, "predicted class", "annotated class")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8)
    bar.set_label("share of the class", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    if classes <= _MOST_TOLD:
        axes.set(xticks=range(classes), yticks=range(classes))
        for row, column in np.ndindex(counts.shape):
            ink = drawing.PAPER if shares[row, column] > 0.5 else drawing.INK
            told = f"{counts[row, column]:,}\n{100 * shares[row, column]:.3g} %"
            axes.text(column, row, told, ha="center", va="center", fontsize=7, color=ink)
    for side_name in ("top", "right"):
        axes.spines[side_name].set_visible(True)
    return figure


def roc(scores: Scores) -> Any:
    """Returns the ROC curves, each class against the rest."""
    from sklearn.metrics import auc, roc_curve  # noqa: PLC0415 - comes with an extra

    figure, axes = _axes(_SIDE, _SIDE, "1 - specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=drawing.QUIET, linewidth=0.8, linestyle=":")
    for kind, positive, score in _against_the_rest(scores):
        alarms, hits, _ = roc_curve(positive, score)
        label = f"class {kind}: {auc(alarms, hits):.3f}"
        axes.plot(alarms, hits, color=_ink(kind), label=label)
    return _square(figure, axes, "area under the curve")


def precision_recall(scores: Scores) -> Any:
    """Returns precision against recall, each class against the rest."""
    from sklearn import metrics  # noqa: PLC0415 - as above

    figure, axes = _axes(_SIDE, _SIDE, "recall", "precision")
    for kind, positive, score in _against_the_rest(scores):
        precision, recall, _ = metrics.precision_recall_curve(positive, score)
        mean = metrics.average_precision_score(positive, score)
        ink = _ink(kind)
        label = f"class {kind}: {mean:.3f}"
        axes.step(recall, precision, color=ink, label=label, where="post")
        axes.axhline(positive.mean(), color=ink, linewidth=0.6, linestyle=":")
    return _square(figure, axes, "average precision")


def has_reliability(scores: Scores) -> bool:
    """Returns whether outputs are probabilities, whose reliability can be drawn."""
    return are_probabilities(scores.probabilities)


def reliability(scores: Scores) -> Any:
    """Returns how often the predicted class is right against its probability."""
    confidence = scores.probabilities.max(axis=1)
    right = scores.probabilities.argmax(axis=1) == scores.reference
    figure, axes = _axes(_SIDE, _SIDE + 1, "", "share that is right", rows=(3, 1))
    upper, lower = axes
    upper.plot([0, 1], [0, 1], color=drawing.QUIET, linewidth=0.8, linestyle=":")
    members = bins_of(confidence)
    counts = np.bincount(members, minlength=BINS)
    filled = np.flatnonzero(counts)
    shares = np.bincount(members, right, BINS)[filled] / counts[filled]
    means = np.bincount(members, confidence, BINS)[filled] / counts[filled]
    upper.bar((filled + 0.5) / BINS, shares, 1 / BINS, color=(*drawing.colour(2), 0.35))
    upper.plot(means, shares, "o-", color=drawing.colour(2), markersize=3.5, linewidth=1)
    upper.set(xlim=(0, 1), ylim=(0, 1))
    lower.bar((np.arange(BINS) + 0.5) / BINS, counts, 1 / BINS, color=drawing.QUIET)
    lower.set(xlim=(0, 1))
    lower.set_xlabel("probability of the predicted class", fontsize=8)
    lower.set_ylabel("samples", fontsize=8)
    return figure


def bland_altman(agreements: Sequence[Agreement]) -> Any:
    """Returns differences against means, with bias and limits of agreement."""
    shown = agreements[:_MOST_PANELS]
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    figure = drawing.new_figure(3.9 * columns, 3.2 * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, one in zip(panels, shown, strict=False):
        unit = f" ({one.unit.replace('mm2', 'mm²')})" if one.unit else ""
        _frame(axes, f"mean of both{unit}", f"prediction - annotation{unit}")
        axes.set_title(one.title, fontsize=9)
        _draw_agreement(axes, one)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure


def _draw_agreement(axes: Any, one: Agreement) -> None:
    difference = one.predicted - one.reference
    middle = (one.predicted + one.reference) / 2
    axes.plot(middle, difference, "o", color=drawing.colour(2), markersize=3.5, alpha=0.6)
    bias = float(difference.mean())
    spread = LIMITS * float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    for height, style, name in (
        (bias, "-", "bias"),
        (bias - spread, "--", f"-{LIMITS} SD"),
        (bias + spread, "--", f"+{LIMITS} SD"),
    ):
        axes.axhline(height, color=drawing.INK, linewidth=0.9, linestyle=style)
        axes.annotate(
            f"{name} {height:.3g}",
            (1, height),
            xycoords=("axes fraction", "data"),
            fontsize=7,
            ha="right",
            va="bottom",
            bbox={"facecolor": drawing.PAPER, "edgecolor": "none", "pad": 0.5, "alpha": 0.7},
        )
    axes.margins(y=0.15)
    # Room for the words, which would hide points.
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.3 * (high - low))


def detections(curves: Sequence[Curve]) -> Any:
    """Returns precision against recall of detected boxes, at an overlap of 0.5."""
    figure, axes = _axes(_SIDE, _SIDE, "recall", "precision")
    for number, one in enumerate(curves[:_MOST_LINES], 1):
        x, y = np.append(0.0, one.x), np.append(one.y[:1], one.y)
        axes.step(x, y, color=drawing.colour(number), label=one.title, where="pre")
    return _square(figure, axes, "overlap of 0.5")


def froc(curve: Curve) -> Any:
    """Returns sensitivity against false alarms per image, from LUNA16's least rate on."""
    figure, axes = _axes(_SIDE + 0.8, _SIDE, "false alarms per image", "sensitivity")
    ends = np.append(curve.x, max(8.0, float(curve.x[-1])))
    axes.step(
        ends, np.append(curve.y, curve.y[-1]), color=drawing.colour(2), where="post", linewidth=1.4
    )
    axes.set_xscale("log", base=2)
    axes.set(xlim=(1 / 16, 8), ylim=(0, 1.02))
    rates = [0.125, 0.25, 0.5, 1, 2, 4, 8]
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.grid(alpha=0.3)
    return figure


def _against_the_rest(scores: Scores) -> list[tuple[int, NDArray[np.bool_], NDArray[Any]]]:
    """Returns class, whether each sample is of it, and its outputs; of classes with both sides."""
    found = []
    for kind in positives(scores.probabilities.shape[1]):
        positive = scores.reference == kind
        if positive.any() and not positive.all():
            found.append((kind, positive, scores.probabilities[:, kind]))
    return found[:_MOST_LINES]


def _ink(kind: int) -> Any:
    """Returns the colour of a class; 0 is no class of label maps, and grey."""
    return drawing.colour(kind) if kind else drawing.QUIET


def _square(figure: Any, axes: Any, title: str) -> Any:
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.02))
    if axes.get_legend_handles_labels()[0]:
        legend = axes.legend(fontsize=7, frameon=False, title=title)
        legend.get_title().set_fontsize(7)
    return figure


def _axes(
    width: float, height: float, below: str, beside: str, rows: tuple[int, ...] = ()
) -> tuple[Any, Any]:
    """Returns a figure and its axes; several below each other where `rows` has their heights."""
    figure = drawing.new_figure(width, height)
    if not rows:
        axes = figure.subplots()
        _frame(axes, below, beside)
        return figure, axes
    several = figure.subplots(len(rows), 1, height_ratios=rows, sharex=True)
    for axes in several:
        _frame(axes, below, beside)
    return figure, several


def _frame(axes: Any, below: str, beside: str) -> None:
    axes.set_xlabel(below, fontsize=8)
    axes.set_ylabel(beside, fontsize=8)
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
