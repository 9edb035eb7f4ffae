"""Boxes around the connected components of a mask."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def boxes_of_components(
    mask: NDArray[np.bool_], smallest: int, kind: int = 1
) -> NDArray[np.float64]:
    """Returns the boxes of all components, float64 (boxes, 5): class, xmin, ymin, xmax, ymax.

    Args:
        mask: bool (rows, cols). Pixels that share an edge belong together.
        smallest: Pixels that a component has at least; smaller ones have no box.
        kind: Class of all boxes, from 1.
    """
    components, count = ndimage.label(mask)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    boxes = [
        (kind, cols.start, rows.start, cols.stop, rows.stop)
        for (rows, cols), size in zip(ndimage.find_objects(components), sizes, strict=True)
        if size >= smallest
    ]
    return np.array(boxes, np.float64).reshape(-1, 5)
