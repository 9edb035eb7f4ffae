"""A stored sample to what the network and the loss take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.inspection import Expectation
from dlae_core.data.normalization import Float32, Preprocessing
from dlae_core.data.source import Array
from dlae_core.data.targets import TargetKind, labels, one_hot, values
from dlae_core.data.transforms import Flip


@dataclass(frozen=True)
class Preparation:
    """Prepares samples.

    Attributes:
        preprocessing: What happens to every image.
        expected: Shapes and classes.
        target_kind: What the loss compares the output with.
        flip: Random flips, for training samples.
        per_pixel: Whether an annotation has the space of its image and moves along.
    """

    preprocessing: Preprocessing
    expected: Expectation
    target_kind: TargetKind
    flip: Flip
    per_pixel: bool

    @property
    def random(self) -> bool:
        """Whether the same sample can come out differently in another pass."""
        return self.flip.acts

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Float32, NDArray[Any]]:
        """Returns image float32 (*space, channels) and target of one sample.

        Args:
            image: As stored.
            annotation: As stored.
            random: Draws of this pass; None: no augmentation.
        """
        scaled, target = self.preprocessing.scaled(image), self.target(annotation)
        if random is not None and self.random:
            axes = self.flip.draw(random)
            scaled = self.flip.apply(scaled, axes)
            target = self.flip.apply(target, axes) if self.per_pixel else target
        return self.preprocessing.normalized(scaled), self._normalized(target)

    def class_numbers(self, annotation: Array) -> NDArray[np.int32]:
        """Returns the class numbers of an annotation, int32 (*space,)."""
        return labels(annotation, len(self.expected.target_shape))

    def target(self, annotation: Array) -> NDArray[Any]:
        """Returns an annotation as the loss takes it.

        float32 (..., classes) for `one_hot`, int32 (..., 1) for `sparse`, else float32 values.
        """
        if self.target_kind == "values":
            return values(annotation, self.expected.target_shape)
        numbers = self.class_numbers(annotation)
        if self.target_kind == "one_hot":
            return one_hot(numbers, self.expected.classes)
        return numbers[..., np.newaxis]

    def _normalized(self, target: NDArray[Any]) -> NDArray[Any]:
        if self.target_kind != "values":
            return target
        return self.preprocessing.annotation(target)
