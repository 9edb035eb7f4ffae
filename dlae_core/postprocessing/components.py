"""Labels cleaned of specks and holes. Needs SciPy: to be imported where it is asked for."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import ndimage

from dlae_core.postprocessing.labels import Labels


def largest_components(labels: Labels) -> Labels:
    """Keeps the largest connected component of each class; the rest becomes background.

    Pixels are connected through their faces. Of components of one size the first is kept.

    Args:
        labels: (*space); 0 is the background.
    """
    return _by_class(labels, _without_specks)


def filled_holes(labels: Labels) -> Labels:
    """Gives the background that a class encloses to that class; other classes keep theirs.

    Enclosed is what is not connected with the image's border through faces.

    Args:
        labels: (*space); 0 is the background.
    """
    return _by_class(labels, _without_holes)


def _by_class(labels: Labels, change: Callable[[Labels, int], None]) -> Labels:
    result = labels.copy()
    for number, box in _boxes(labels):
        change(result[box], number)
    return result


def _boxes(labels: Labels) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """Yields each class that there is with the box that holds it."""
    for index, box in enumerate(ndimage.find_objects(labels.astype(np.int32))):
        if box is not None:
            yield index + 1, box


def _without_specks(labels: Labels, number: int) -> None:
    mask = labels == number
    components, count = ndimage.label(mask)
    if count > 1:
        largest = np.bincount(components[mask]).argmax()
        labels[mask & (components != largest)] = 0


def _without_holes(labels: Labels, number: int) -> None:
    filled = ndimage.binary_fill_holes(labels == number)
    labels[filled & (labels == 0)] = number
