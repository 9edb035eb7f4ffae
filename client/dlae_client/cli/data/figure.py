"""A report on a data set as a page: histograms, class frequencies, samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlae_client.cli.data import drawing

if TYPE_CHECKING:
    from dlae_core.data.distribution import Distribution
    from dlae_core.data.inspection import Expectation
    from dlae_core.data.report import Report
    from dlae_core.data.source import PairedFiles

COLUMNS, ROWS = 6, 2
_CHANNEL_STYLES = ("#222222", "#d62728", "#2ca02c", "#1f77b4")
_MOST_VALUES = 8


def draw_report(
    path: Path, report: "Report", pairs: "PairedFiles", expected: "Expectation | None"
) -> None:
    """Writes a page about a data set as PNG.

    Raises:
        InvalidRequest: Matplotlib is not installed.
        LocalFileError: The file cannot be written.
    """
    names = drawing.evenly_chosen(pairs.names, COLUMNS * ROWS)
    rows = -(-len(names) // COLUMNS)
    figure = drawing.new_figure(11, 3.4 + 2.0 * rows)
    upper, lower = figure.subfigures(2, 1, height_ratios=(3.0, 2.0 * rows))
    left, right = upper.subplots(1, 2)
    _draw_intensities(left, report)
    _draw_annotations(right, report)
    for axes in lower.subplots(rows, COLUMNS, squeeze=False).flat:
        axes.set_axis_off()
        if names:
            _draw_sample(axes, names.pop(0), pairs, expected)
    figure.suptitle(_title(report), fontsize=10)
    if report.meaning == "map" and report.labels.counts:
        drawing.legend(lower, [number for number in sorted(report.labels.counts) if number > 0])
    drawing.save_figure(figure, path)


def _title(report: "Report") -> str:
    images, annotations = report.images, report.annotations
    told = f"{images.name} and {annotations.name}: {images.samples:,} samples"
    count = len(report.problems)
    return f"{told}, {count} problem{'' if count == 1 else 's'}" if count else told


def _draw_intensities(axes: Any, report: "Report") -> None:
    _frame(axes, "intensities", "pixels")
    for place, channel in enumerate(report.channels.components):
        ink = _CHANNEL_STYLES[place % len(_CHANNEL_STYLES)]
        label = f"channel {place}: {channel.mean:.4g} ± {channel.deviation:.4g}"
        _stairs(axes, channel, ink, label)
    if report.channels.components:
        axes.set_yscale("log")
        axes.legend(fontsize=7, frameon=False)


def _draw_annotations(axes: Any, report: "Report") -> None:
    if report.meaning == "boxes":
        _frame(axes, "boxes per image", "images")
        if report.boxes.per_image:
            _stairs(axes, report.boxes.per_image, drawing.INK, "")
    elif report.labels.counts:
        _draw_classes(axes, report)
    else:
        _frame(axes, "values", "count")
        for place, value in enumerate(report.values.components[:_MOST_VALUES]):
            _stairs(axes, value, drawing.colour(place + 1), f"value {place}")
        if len(report.values.components) > 1:
            axes.legend(fontsize=7, frameon=False)


def _draw_classes(axes: Any, report: "Report") -> None:
    _frame(axes, "class", "images" if report.meaning == "number" else "pixels")
    numbers = sorted(report.labels.counts)
    total = report.labels.counts.total()
    counts = [report.labels.counts[number] for number in numbers]
    inks = [drawing.colour(number) if number else drawing.QUIET for number in numbers]
    bars = axes.bar([str(number) for number in numbers], counts, color=inks, width=0.7)
    axes.bar_label(bars, [f"{100 * count / total:.3g} %" for count in counts], fontsize=7)
    if min(counts) * 100 < max(counts):
        axes.set_yscale("log")
    axes.margins(y=0.15)


def _stairs(axes: Any, found: "Distribution", ink: Any, label: str) -> None:
    histogram = found.histogram
    edges = [
        histogram.start + histogram.width * place for place in range(len(histogram.counts) + 1)
    ]
    # Whole numbers stand in the middle of their bar.
    shift = 0.5 if histogram.width == 1 else 0.0
    axes.xaxis.get_major_locator().set_params(integer=histogram.width == 1)
    axes.stairs(
        histogram.counts, [edge - shift for edge in edges], color=ink, label=label, linewidth=1.2
    )


def _frame(axes: Any, below: str, beside: str) -> None:
    axes.set_xlabel(below, fontsize=8)
    axes.set_ylabel(beside, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.yaxis.get_offset_text().set_fontsize(7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _draw_sample(
    axes: Any, name: str, pairs: "PairedFiles", expected: "Expectation | None"
) -> None:
    from dlae_core.data.inspection import inspect_sample  # noqa: PLC0415 - needs h5py
    from dlae_core.data.stored_boxes import box_rows  # noqa: PLC0415
    from dlae_core.data.summary import channels_of, label_counts, meaning_of  # noqa: PLC0415

    sample = inspect_sample(pairs, expected, name)
    image, annotation = sample.image, sample.annotation
    axes.set_title(name, fontsize=7, pad=2, color="firebrick" if sample.problems else drawing.INK)
    if image is None:
        axes.text(0.5, 0.5, "cannot be used", fontsize=7, ha="center", color="firebrick")
        return
    shown = channels_of(image, annotation, expected)
    drawing.draw_image(axes, shown)
    if annotation is None:
        return
    meaning = meaning_of(annotation, image.shape, expected)
    if meaning == "boxes":
        drawing.draw_boxes(axes, box_rows(annotation))
    elif meaning == "map":
        # Maps of several channels, and of fractions, hold no classes.
        if annotation.size == shown[..., 0].size and label_counts(annotation) is not None:
            drawing.draw_labels(axes, annotation.reshape(shown.shape[:-1]))
    else:
        values = ", ".join(f"{value:.3g}" for value in annotation.reshape(-1)[:3])
        axes.set_title(
            f"{name}: {values}{', ...' if annotation.size > 3 else ''}", fontsize=7, pad=2
        )
