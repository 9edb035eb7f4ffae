"""What a detector adds behind its hooks: class and box predictions, and their anchors.

Plain Keras layers and operations only, so that a saved detector opens without DLAE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from dlae.v1.config_pb2 import BbdOptions
from dlae_core.detection.anchors import AnchorTables, anchor_tables

# Square of the smallest length that features are divided by.
_SMALLEST_SQUARE = 1e-12
_FIRST_FACTOR = 20.0


@dataclass(frozen=True)
class Head:
    """Predictions at one hook, one row per anchor: row by row, column by column, box by box.

    Attributes:
        classes: float32 (batch, anchors, classes + 1), not yet probabilities.
        boxes: float32 (batch, anchors, 12): offsets, anchor coordinates and variances.
        parameters: Weights of the layers.
    """

    classes: Any
    boxes: Any
    parameters: int


def build_heads(hooks: Sequence[Any], options: BbdOptions, image: tuple[int, int]) -> list[Head]:
    """Returns the predictions at each hook.

    The first hook's features are brought to unit length at every pixel, times a learnable factor
    per channel, 20 at first.

    Reference: Liu et al., SSD: single shot multibox detector, 2016; Liu et al., ParseNet, 2015.

    Args:
        hooks: float32 (batch, rows, columns, channels).
        options: Resolved and checked.
        image: Rows and columns of the images.
    """
    maps = [tuple(hook.shape[1:3]) for hook in hooks]
    tables = anchor_tables(options, image, maps)
    return [
        _head(hook, number, table, options)
        for number, (hook, table) in enumerate(zip(hooks, tables, strict=True))
    ]


def join_heads(heads: Sequence[Head]) -> Any:
    """Returns float32 (batch, anchors, classes + 1 + 12): probabilities, then the box columns.

    Class 0 is the background.
    """
    classes = _stacked([head.classes for head in heads], "class_rows")
    boxes = _stacked([head.boxes for head in heads], "box_rows")
    probabilities = keras.layers.Activation("softmax", name="probabilities")(classes)
    return keras.layers.Concatenate(axis=-1, name="detections")([probabilities, boxes])


def _stacked(rows: Sequence[Any], name: str) -> Any:
    return keras.layers.Concatenate(axis=1, name=name)(rows) if len(rows) > 1 else rows[0]


def hooked_maps(model: keras.Model) -> list[tuple[int, int]]:
    """Returns rows and columns of the feature maps that a detector's heads predict from."""
    names = {layer.name for layer in model.layers}
    found: list[tuple[int, int]] = []
    while (name := f"hook{len(found)}_offsets") in names:
        rows, columns = model.get_layer(name).output.shape[1:3]
        found.append((rows, columns))
    return found


def _head(hook: Any, number: int, tables: AnchorTables, options: BbdOptions) -> Head:
    name, layers = f"hook{number}", []
    if number == 0:
        layers.append(_factors(f"{name}_scaling"))
        hook = layers[0](_of_unit_length(hook))
    cells, boxes, classes = (*hook.shape[1:3],), tables.x.shape[1], options.number_classes + 1
    layers += [
        _predictions(boxes * classes, f"{name}_classes"),
        _predictions(boxes * 4, f"{name}_offsets"),
    ]
    logits, offsets = (layer(hook) for layer in layers[-2:])
    by_box = keras.layers.Reshape((*cells, boxes, 4), name=f"{name}_boxes")(offsets)
    joined = _with_anchors(by_box, tables, options)
    return Head(
        classes=keras.layers.Reshape((-1, classes), name=f"{name}_class_rows")(logits),
        boxes=keras.layers.Reshape((-1, joined.shape[-1]), name=f"{name}_box_rows")(joined),
        parameters=sum(layer.count_params() for layer in layers),
    )


def _factors(name: str) -> keras.Layer:
    """Returns a learnable factor per channel."""
    initial = keras.initializers.Constant(_FIRST_FACTOR)
    return keras.layers.DepthwiseConv2D(1, use_bias=False, depthwise_initializer=initial, name=name)


def _predictions(filters: int, name: str) -> keras.Layer:
    return keras.layers.Conv2D(
        filters, 3, padding="same", kernel_initializer="he_normal", name=name
    )


def _of_unit_length(features: Any) -> Any:
    squares = ops.sum(ops.square(features), axis=-1, keepdims=True)
    return features * ops.rsqrt(ops.maximum(squares, _SMALLEST_SQUARE))


def _with_anchors(offsets: Any, tables: AnchorTables, options: BbdOptions) -> Any:
    """Returns offsets, coordinates and variances: (batch, rows, columns, boxes, 12).

    Two small tables are stored and added up, not all anchors.
    """
    zeros = ops.zeros_like(offsets)
    x = tables.x[np.newaxis, np.newaxis].astype(np.float32)
    y = tables.y[np.newaxis, :, np.newaxis].astype(np.float32)
    variances = np.asarray(options.variances, np.float32)
    return ops.concatenate([offsets, zeros + x + y, zeros + variances], axis=-1)
