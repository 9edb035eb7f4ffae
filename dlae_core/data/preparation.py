"""A stored sample to what the network and the loss take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.inspection import Expectation
from dlae_core.data.normalization import Float32, Preprocessing
from dlae_core.data.source import Array
from dlae_core.data.targets import TargetKind, labels, one_hot, values
from dlae_core.data.transforms import Draw, Variation, move_points

COORDINATES = "coordinates"


@dataclass(frozen=True)
class Preparation:
    """Prepares samples.

    Attributes:
        preprocessing: What happens to every image.
        expected: Shapes and classes.
        target_kind: What the loss compares the output with.
        variation: What varies at random in training samples.
        per_pixel: Whether an annotation has the space of its image and moves along.
        annotation_type: `coordinates` where the values of an image are points, which move along.
    """

    preprocessing: Preprocessing
    expected: Expectation
    target_kind: TargetKind
    variation: Variation
    per_pixel: bool
    annotation_type: str = ""

    @property
    def random(self) -> bool:
        """Whether the same sample can come out differently in another pass."""
        return self.variation.acts

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Float32, NDArray[Any]]:
        """Returns image float32 (*space, channels) and target of one sample.

        Args:
            image: As stored.
            annotation: As stored.
            random: Draws of this pass; None: no variation.
        """
        if random is None or not self.random:
            return self.preprocessing.image(image), self.target(annotation)
        raw = self.preprocessing.raw(image)
        draw = self.variation.draw(random, raw.shape)
        return self._varied(raw, draw), self._moved_target(annotation, draw)

    def class_numbers(self, annotation: Array) -> NDArray[Any]:
        """Returns the class numbers of an annotation, uint8 or uint16 (*space,)."""
        # Small types move through memory faster.
        small = np.uint8 if self.expected.classes <= 256 else np.uint16
        return labels(annotation, len(self.expected.target_shape), small)

    def target(self, annotation: Array) -> NDArray[Any]:
        """Returns an annotation as the loss takes it.

        float32 (..., classes) for `one_hot`, int32 (..., 1) for `sparse`, else float32 values.
        """
        if self.target_kind == "values":
            return self._normalized(values(annotation, self.expected.target_shape))
        return self._encoded(self.class_numbers(annotation))

    def _varied(self, raw: Float32, draw: Draw) -> Float32:
        varied = self.variation.intensities(raw, draw)
        standardized = self.preprocessing.standardized(varied)
        moved = self.variation.geometry.image(standardized, draw.matrix)
        return self.preprocessing.finished(moved)

    def _moved_target(self, annotation: Array, draw: Draw) -> NDArray[Any]:
        """Returns the target of a sample whose image was moved by the draw."""
        geometry = self.variation.geometry
        if self.target_kind == "values":
            numbers = values(annotation, self.expected.target_shape)
            if self.per_pixel:
                return self._normalized(geometry.image(numbers, draw.matrix))
            if self.annotation_type == COORDINATES:
                points = numbers.reshape(-1, len(draw.matrix) - 1)
                return move_points(points, draw.matrix).reshape(numbers.shape)
            return numbers
        if not self.per_pixel:
            return self.target(annotation)
        return self._encoded(geometry.labels(self.class_numbers(annotation), draw.matrix))

    def _encoded(self, numbers: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Returns class numbers (*space,) as the loss takes them."""
        if self.target_kind == "one_hot":
            return one_hot(numbers, self.expected.classes)
        return numbers[..., np.newaxis].astype(np.int32, copy=False)

    def _normalized(self, target: Float32) -> Float32:
        return self.preprocessing.annotation(target)
