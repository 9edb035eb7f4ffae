"""The chain: one of two sequences of steps, drawn at once and sampled once."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.source import Array
from dlae_core.data.transforms.boxes import Float32, Survival, around
from dlae_core.data.transforms.detection.steps import Magnification, Mirror, Translation
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.matrices import Matrix, identity
from dlae_core.data.transforms.resampling import resample

_EMPTY = Filling("constant", 0.0)


class BoxedDraw(NamedTuple):
    """What was drawn for one sample.

    Attributes:
        matrix: From output to input positions, (3, 3), in pixels.
        boxes: Boxes that are left, where they are now, float32 (count, 5).
    """

    matrix: Matrix
    boxes: Float32


@dataclass(frozen=True)
class DetectionChain:
    """Translate, zoom in, flip; or zoom out, translate, flip.

    A translation or zoom is drawn anew until a box is left, a few times; then the step is left out.

    Attributes:
        zoom_in_first_probability: Of the sequence that zooms in.
        translation: Step of both sequences.
        zoom_in: Step of the first.
        zoom_out: Step of the second.
        mirror: Last step of both.
        survival: Which boxes are left after a translation or zoom.
        trials: How often a step is drawn.

    Differs: DLAE 1.0 has these numbers fixed, took `rounds` for the trials (X7, X8), sampled at
    every step and skipped images without boxes (X6).

    Reference: Liu et al. (2016), SSD: Single Shot MultiBox Detector.
    """

    zoom_in_first_probability: float
    translation: Translation
    zoom_in: Magnification
    zoom_out: Magnification
    mirror: Mirror
    survival: Survival
    trials: int

    @classmethod
    def from_config(cls, settings: Augmentation) -> "DetectionChain":
        """Returns the chain of a resolved configuration."""
        zoom = settings.bbd_zoom_probability
        return cls(
            settings.bbd_zoom_in_first_probability,
            Translation(settings.bbd_translation_probability, *settings.bbd_translation_range),
            Magnification(zoom, *settings.bbd_zoom_in_range),
            Magnification(zoom, *settings.bbd_zoom_out_range),
            Mirror(settings.bbd_flip_probability),
            Survival(settings.bbd_minimum_overlap, settings.bbd_minimum_area),
            settings.bbd_trials,
        )

    def draw(
        self, random: np.random.Generator, boxes: Float32, space: tuple[int, ...]
    ) -> BoxedDraw:
        """Returns the draw for one sample.

        Args:
            random: Source of the draws.
            boxes: (count, 5): class, xmin, ymin, xmax, ymax, in pixels.
            space: Rows and columns of the image.
        """
        first = random.random() < self.zoom_in_first_probability
        steps = (self.translation, self.zoom_in) if first else (self.zoom_out, self.translation)
        drawn = BoxedDraw(identity(2), boxes)
        for step in steps:
            if random.random() < step.probability:
                drawn = self._cut(step, drawn, random, space)
        if random.random() < self.mirror.probability:
            matrix = self.mirror.draw(random, space)
            drawn = BoxedDraw(drawn.matrix @ matrix, around(drawn.boxes, matrix))
        return drawn

    @staticmethod
    def apply(image: Array, draw: BoxedDraw) -> Array:
        """Returns a normalized image (rows, cols, channels), moved."""
        return resample(image, draw.matrix, "linear", _EMPTY)

    def _cut(
        self,
        step: Translation | Magnification,
        drawn: BoxedDraw,
        random: np.random.Generator,
        space: tuple[int, ...],
    ) -> BoxedDraw:
        for _ in range(self.trials):
            matrix = step.draw(random, space)
            left = self.survival.of(around(drawn.boxes, matrix), space)
            # An image without boxes has none to lose.
            if len(left) or not len(drawn.boxes):
                return BoxedDraw(drawn.matrix @ matrix, left)
        return drawn
