"""Pictures of what a detector finds: image, true boxes and found boxes side by side."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.pipeline import Delivers
from dlae_core.detection.decoding import Decoder
from dlae_core.training.judging import truth_decoder
from dlae_core.training.pictures import Picture, Pictures, colours_of, grey_of, plane_of

Float32 = NDArray[np.float32]


class BoxedPictures(Pictures):
    """Draws boxes in the colours of their classes, as they are with the configured thresholds."""

    def __init__(
        self,
        data: Delivers,
        count: int,
        predict: Callable[[Float32], Float32],
        decoder: Decoder,
        classes: int,
    ) -> None:
        """Takes the samples.

        Args:
            data: Of validation.
            count: Samples to draw.
            predict: Returns the network's output for images.
            decoder: Of the detector.
            classes: Kinds of object.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        super().__init__(data, count, 0, predict)
        self._decoders = truth_decoder(decoder), decoder
        self._colours = colours_of(np.arange(classes + 1)[np.newaxis], classes + 1)[0]

    def _panels(self, image: Float32, target: NDArray[Any], output: Float32) -> list[Picture]:
        plain = grey_of(plane_of(image))
        rows = zip(self._decoders, (target, output), strict=True)
        return [plain, *(self._drawn(plain, decoder.boxes(one)) for decoder, one in rows)]

    def _drawn(self, plain: Picture, boxes: Float32) -> Picture:
        """Returns an image with boxes around the pixels that they hold, the best one on top."""
        picture = plain.copy()
        # A diverged network finds boxes that no picture can hold.
        edges = np.clip(np.nan_to_num(boxes[:, 2:]), -1e6, 1e6)
        for kind, (xmin, ymin, xmax, ymax) in zip(boxes[::-1, 0], edges[::-1], strict=True):
            first = round(float(xmin)), round(float(ymin))
            last = round(float(xmax)) - 1, round(float(ymax)) - 1
            colour = self._colours[int(kind)].tolist()
            cv2.rectangle(picture, first, last, colour, 1)
        return picture
