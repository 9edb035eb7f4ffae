"""Boxes as they are stored: class, xmin, ymin, xmax, ymax, in pixels.

x counts columns from the left edge of the image, y rows from its upper edge, so that a box around
the whole image is 0, 0, cols, rows. Classes are numbered from 1; 0 is the background.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array

COLUMNS = ("class", "xmin", "ymin", "xmax", "ymax")

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


def box_rows(stored: Array) -> Float64:
    """Returns stored boxes, (boxes, 5) or (5,), as float64 (boxes, 5)."""
    return stored.reshape(-1, len(COLUMNS)).astype(np.float64)


def box_problems(
    stored: Array, image_shape: tuple[int, ...], classes: int
) -> Iterator[tuple[str, str]]:
    """Yields kind and sentence of what is wrong with the boxes of one image.

    Args:
        stored: (boxes, 5) or (5,), finite.
        image_shape: Begins with rows and cols.
        classes: Kinds of object, background not counted.

    Differs: DLAE 1.0 trained objects of class 0 as background and dropped boxes without an area,
    both in silence (X1).
    """
    boxes = box_rows(stored)
    numbers, (xmin, ymin, xmax, ymax) = boxes[:, 0], boxes[:, 1:].T
    rows, cols = image_shape[:2]
    background = numbers == 0
    hint = "; objects are numbered from 1, 0 is the background" if background.any() else ""
    unknown = (numbers < 1) | (numbers > classes) | (numbers != np.rint(numbers))
    flat = (xmax <= xmin) | (ymax <= ymin)
    outside = (xmin < 0) | (ymin < 0) | (xmax > cols) | (ymax > rows)
    rules = (
        ("classes", unknown, f"class numbers from 1 to {classes}", hint),
        ("areas", flat, "xmin < xmax and ymin < ymax", ""),
        ("borders", outside, f"boxes inside the image of {rows} rows and {cols} columns", ""),
    )
    for kind, wrong, expected, note in rules:
        if wrong.any():
            first = int(np.argmax(wrong))
            row = ", ".join(f"{value:g}" for value in boxes[first])
            count = f"{int(wrong.sum())} of {len(boxes)} boxes are not, the first is row {first}"
            yield f"box {kind}", f"expected {expected}; {count}: ({row}){note}"
