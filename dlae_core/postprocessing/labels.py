"""The class of each pixel or image."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.unsignedinteger]


def labels_of(output: NDArray[np.float32], threshold: float | None = None) -> Labels:
    """Returns the class of each pixel or image.

    Args:
        output: float32 (..., classes), probabilities; class 0 is the background.
        threshold: None: the most probable class. Else the most probable class but the background,
            where it is at least this probable; the background elsewhere.

    Returns:
        uint8 (...), uint16 above 256 classes.
    """
    small = np.uint8 if output.shape[-1] <= 256 else np.uint16
    if threshold is None:
        probable: Labels = output.argmax(axis=-1).astype(small)
        return probable
    if output.shape[-1] == 1:
        return (output[..., 0] >= threshold).astype(small)
    foreground = output[..., 1:]
    labels: Labels = (foreground.argmax(axis=-1) + 1).astype(small)
    labels[foreground.max(axis=-1) < threshold] = 0
    return labels
