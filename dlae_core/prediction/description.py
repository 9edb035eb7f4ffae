"""What was done for a prediction, in words."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Augmentation
from dlae.v1.prediction_pb2 import (
    OUTPUT_KIND_BOXES,
    OUTPUT_KIND_LABELS,
    Description,
    OutputKind,
)
from dlae_core.data.normalization import RANGES, Normalization, Preprocessing
from dlae_core.prediction.finishing import Finishing
from dlae_core.prediction.options import Options
from dlae_core.prediction.predictor import Predictor
from dlae_core.tiling import count_tiles

_SWITCHES = {
    "featurewise_centering_switch": "subtract the training images' mean of each channel",
    "featurewise_normalization_switch": (
        "divide by the training images' standard deviation of each channel"
    ),
    "samplewise_centering_switch": "subtract each image's mean",
    "samplewise_normalization_switch": "divide by each image's standard deviation",
}


def describe(
    predictor: Predictor, kind: "OutputKind", shape: tuple[int, ...], options: Options
) -> Description:
    """Returns what `predictor` does for images.

    Args:
        predictor: A model.
        kind: What is asked for; never unspecified.
        shape: Of the images, (batch, *space[, channels]).
        options: How to predict.
    """
    tile = predictor.manifest.input_shape[:-1]
    space = shape[1 : len(tile) + 1]
    resizes = options.resize and space != tile
    tiles = 1 if resizes else count_tiles(space, tile, options.tiling.overlap)
    resizing = [f"resize from {space} to {tile}"] if resizes else []
    return Description(
        output_kind=kind,
        preprocessing=[*resizing, *_preparation(predictor.preprocessing)],
        postprocessing=[
            *([f"resize back to {space}"] if resizes else []),
            *_finishing(predictor, kind, options),
        ],
        engine=_engine(predictor, options),
        precision=options.precision,
        tiles=tiles,
        mirror_images=1 << len(options.flips),
    )


def _engine(predictor: Predictor, options: Options) -> str:
    own = options.precision == predictor.options.precision
    return predictor.engine if own else predictor.engines.named(options.precision)


def _preparation(preprocessing: Preprocessing) -> Iterator[str]:
    yield from _standardization(preprocessing.switches)
    if preprocessing.images.kind != "none":
        yield _normalization(preprocessing.images)
    if preprocessing.repeat > 1:
        yield f"repeat each channel {preprocessing.repeat} times"


def _standardization(switches: Augmentation) -> Iterator[str]:
    for name, words in _SWITCHES.items():
        if getattr(switches, name):
            yield words
    if switches.HasField("zca_epsilon"):
        yield f"ZCA whitening with epsilon {switches.zca_epsilon:g}"


def _normalization(normalization: Normalization) -> str:
    bottom, top = RANGES[normalization.kind]
    if normalization.low is None or normalization.high is None:
        source = "each image's minimum to maximum"
    else:
        source = f"{normalization.low:g}..{normalization.high:g}"
    return f"scale {source} to {bottom:g}..{top:g}"


def _finishing(predictor: Predictor, kind: "OutputKind", options: Options) -> Iterator[str]:
    finishing = Finishing(predictor, options, kind == OUTPUT_KIND_LABELS)
    if kind == OUTPUT_KIND_BOXES:
        decoding = predictor.decoder(options)
        yield f"boxes more probable than {decoding.confidence:g}"
        yield f"suppression of boxes that overlap by more than {decoding.suppression.overlap:g}"
    elif finishing.labels:
        yield from _labelling(finishing)
    elif finishing.in_units:
        annotations = predictor.preprocessing.annotations
        yield f"scale to the annotations' {annotations.low:g}..{annotations.high:g}"


def _labelling(finishing: Finishing) -> Iterator[str]:
    options = finishing.options
    if options.threshold is None:
        yield "most probable class"
    else:
        yield f"most probable class but the background, from {options.threshold:g}"
    if finishing.cleans and options.largest:
        yield "largest component of each class"
    if finishing.cleans and options.fill:
        yield "holes of each class filled"
