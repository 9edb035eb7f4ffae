"""Pictures of what the generators of a GAN make: there, and for cycleGAN back again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.pipeline import Delivers
from dlae_core.training.pictures import Picture, Pictures, Predict, grey_of, plane_of

Float32 = NDArray[np.float32]


class TranslatedPictures(Pictures):
    """Draws source, truth and what is made of the source.

    With a second generator: X, y made of X, and X made of that; below it y, X made of y, and y made
    of that. All of one kind of image are as bright as the true one.

    Differs: DLAE 1.0 took all values for -1 to 1, and drew one sample per epoch (N6).
    """

    def __init__(self, data: Delivers, count: int, generators: Sequence[Predict]) -> None:
        """Takes the samples.

        Args:
            data: Of validation.
            count: Samples to draw.
            generators: Return images y of images X, and X of y where there are two.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        super().__init__(data, count, 0, generators[0])
        self._generators = tuple(generators)

    def _panels(self, image: Float32, target: NDArray[Any], output: Float32) -> list[Picture]:
        if len(self._generators) == 1:
            return super()._panels(image, target, output)
        to_y, to_x = self._generators
        made = to_x(target[np.newaxis])
        columns = [
            (image, target),
            (output, made[0]),
            (to_x(output[np.newaxis])[0], to_y(made)[0]),
        ]
        # What is made of an X is a y, and what is made of that an X again.
        truths = [(image, target), (target, image), (image, target)]
        return [_column(*one) for one in zip(columns, truths, strict=True)]


def _column(shown: tuple[Float32, Float32], like: tuple[Float32, Float32]) -> Picture:
    """Returns two images, one above the other, each with the brightness of another."""
    parts = [_as_bright(one, other) for one, other in zip(shown, like, strict=True)]
    gap = np.full((2, parts[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([parts[0], gap, parts[1]])


def _as_bright(image: Float32, like: Float32) -> Picture:
    plane = plane_of(like)
    return grey_of(plane_of(image), float(plane.min()), float(plane.max()))
