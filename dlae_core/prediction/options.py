"""How to predict: the settings kept with a model, and what a request changes of them."""

from dataclasses import dataclass, replace
from typing import Any

from dlae.v1.config_pb2 import BbdOptions, Config, Prediction
from dlae.v1.prediction_pb2 import PredictOptions
from dlae_core.config.limits import violations_of
from dlae_core.config.schema import settings, settings_of, value_of
from dlae_core.errors import InvalidOptions
from dlae_core.tiling import HALVES, Tiling


@dataclass(frozen=True)
class Options:
    """How to predict, and what to make of it.

    Attributes:
        tiling: How images larger than the network's input are cut; for outputs per pixel, boxes.
        flips: Axes of space, from 0, over whose mirror images outputs are averaged.
        labels: Whether the most probable classes are given where nothing else is asked for.
        threshold: For labels: probability from which a pixel or image is no background.
        largest: For labels per pixel: keep the largest component of each class only.
        fill: For labels per pixel: fill the holes of each class.
        together: Images of the network's size that are predicted at once; None: all.
        resize: Whether images of another size are resized, and outputs back.
        units: Whether values are given in the units of the annotations, where these are known.
        confidence: Probability above which a box is reported; None: the model's own.
        precision: Numbers that the network calculates with.
    """

    tiling: Tiling = HALVES
    flips: tuple[int, ...] = ()
    labels: bool = False
    threshold: float | None = None
    largest: bool = False
    fill: bool = False
    together: int | None = None
    resize: bool = False
    units: bool = True
    confidence: float | None = None
    precision: str = "float32"


# Fields of `Options` and the settings that they are.
_SWITCHES = {
    "largest": "largest_component_switch",
    "fill": "fill_holes_switch",
    "resize": "resize_switch",
    "units": "annotation_units_switch",
}


def options_of(config: Config) -> Options:
    """Returns how a resolved configuration, such as a model keeps, says to predict."""
    given = config.prediction
    together = given.images_at_once if given.HasField("images_at_once") else None
    return Options(
        tiling=Tiling(given.tile_overlap, given.tile_blend, together or HALVES.tiles),
        flips=tuple(given.flips),
        labels=given.labels_switch,
        threshold=given.threshold if given.HasField("threshold") else None,
        together=together,
        precision=given.precision,
        **{name: getattr(given, switch) for name, switch in _SWITCHES.items()},
    )


def changed(options: Options, asked: PredictOptions) -> Options:
    """Returns options with what a request sets instead.

    Raises:
        InvalidOptions: A value is out of its range.
    """
    check(asked)
    changes: dict[str, Any] = {
        name: getattr(asked, switch) for name, switch in _SWITCHES.items() if asked.HasField(switch)
    }
    if asked.HasField("flips"):
        changes["flips"] = tuple(asked.flips.axes)
    if asked.HasField("confidence_threshold"):
        changes["confidence"] = asked.confidence_threshold
    if asked.HasField("images_at_once"):
        changes["together"] = asked.images_at_once
    if asked.HasField("precision"):
        changes["precision"] = asked.precision
    match asked.WhichOneof("labelling"):
        case "threshold":
            changes["threshold"] = asked.threshold
        case "most_probable" if asked.most_probable:
            changes["threshold"] = None
    return replace(options, tiling=_tiling(options.tiling, asked), **changes)


def check(asked: PredictOptions) -> None:
    """Refuses values that the settings of the same names could not have.

    Raises:
        InvalidOptions: A value is out of its range.
    """
    section = Prediction()
    if asked.WhichOneof("labelling") == "threshold":
        section.threshold = asked.threshold
    for name in ("tile_overlap", "tile_blend", "images_at_once", "precision"):
        if asked.HasField(name):
            setattr(section, name, getattr(asked, name))
    section.flips.extend(asked.flips.axes)
    rows = [(row, value_of(section, row)) for row in settings_of(section).values()]
    if asked.HasField("confidence_threshold"):
        confidence = settings(BbdOptions.DESCRIPTOR)["confidence_threshold"]
        rows.append((confidence, asked.confidence_threshold))
    for row, value in rows:
        for violation in violations_of(row, value, row.key):
            raise InvalidOptions(str(violation))


def _tiling(tiling: Tiling, asked: PredictOptions) -> Tiling:
    return Tiling(
        asked.tile_overlap if asked.HasField("tile_overlap") else tiling.overlap,
        asked.tile_blend if asked.HasField("tile_blend") else tiling.weights,
        asked.images_at_once if asked.HasField("images_at_once") else tiling.tiles,
    )
