"""Pictures of a few samples: image, truth and prediction side by side."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.pipeline import Delivers

Float32 = NDArray[np.float32]
Picture = NDArray[np.uint8]
Predict = Callable[[Float32], Float32]

# Between panels, in pixels.
GAP = 2


class Pictures:
    """Draws the first validation samples, which are the same in every epoch."""

    def __init__(self, data: Delivers, count: int, classes: int, predict: Predict) -> None:
        """Takes the samples.

        Args:
            data: Of validation.
            count: Samples to draw.
            classes: Number of classes; 0 where values are predicted.
            predict: Returns the network's output for images.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        batches = data.batches(0)
        samples = (
            (image.copy(), target.copy())
            for batch in batches
            for image, target in zip(batch.images, batch.targets, strict=True)
        )
        self._samples = list(islice(samples, count))
        batches.close()
        self._classes = classes
        self._predict = predict

    def draw(self) -> list[bytes]:
        """Returns a PNG file per sample."""
        # One by one: validation has room for a batch, but not beside another.
        return [
            _png(self._panels(image, target, self._predict(image[np.newaxis])[0]))
            for image, target in self._samples
        ]

    def _panels(self, image: Float32, target: NDArray[Any], output: Float32) -> list[Picture]:
        found = [grey_of(plane_of(image))]
        if self._classes:
            numbers = [_class_numbers(target), output.argmax(-1)]
            return found + [colours_of(_slice(one), self._classes) for one in numbers]
        planes = [plane_of(target), plane_of(output)]
        low, high = float(planes[0].min()), float(planes[0].max())
        return found + [grey_of(one, low, high) for one in planes]


def plane_of(image: NDArray[Any]) -> NDArray[Any]:
    """Returns the first channel of an image (*space, channels), of a volume its middle slice."""
    return _slice(image[..., 0])


def _slice(space: NDArray[Any]) -> NDArray[Any]:
    return space if space.ndim == 2 else space[..., space.shape[2] // 2]


def _class_numbers(target: NDArray[Any]) -> NDArray[Any]:
    return target[..., 0] if target.shape[-1] == 1 else target.argmax(-1)


def grey_of(plane: NDArray[Any], low: float | None = None, high: float | None = None) -> Picture:
    """Returns values as colours, dark for the lowest and bright for the highest."""
    low, high = plane.min() if low is None else low, plane.max() if high is None else high
    shares = np.clip((plane - low) / max(high - low, 1e-12), 0, 1)
    grey = np.rint(255 * np.nan_to_num(shares)).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=-1)


def colours_of(numbers: NDArray[Any], classes: int) -> Picture:
    """Returns classes as colours, background black."""
    shades = np.rint(numbers * (255 / max(classes - 1, 1))).astype(np.uint8)
    colours = np.asarray(cv2.applyColorMap(shades, cv2.COLORMAP_TURBO), np.uint8)
    colours[numbers == 0] = 0
    return colours


def _png(panels: list[Picture]) -> bytes:
    height = panels[0].shape[0]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    row = [part for panel in panels for part in (gap, panel)][1:]
    return bytes(cv2.imencode(".png", np.concatenate(row, axis=1))[1].tobytes())
