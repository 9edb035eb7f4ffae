"""A stored image with boxes to what a detector and its loss take."""

import threading
from dataclasses import dataclass, field

import numpy as np

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.normalization import Float32, Preprocessing
from dlae_core.data.source import Array
from dlae_core.data.stored_boxes import box_rows
from dlae_core.data.transforms.detection import DetectionChain
from dlae_core.detection.encoding import Encoder


@dataclass(frozen=True)
class BoxedImages:
    """Prepares images, and moves them together with their boxes.

    Attributes:
        preprocessing: What happens to every image.
        chain: What varies at random in training samples; None: nothing.
    """

    preprocessing: Preprocessing
    chain: DetectionChain | None = None

    @classmethod
    def from_config(cls, settings: Augmentation, preprocessing: Preprocessing) -> "BoxedImages":
        """Returns what a resolved configuration asks for."""
        on = settings.apply_augmentation_switch
        return cls(preprocessing, DetectionChain.from_config(settings) if on else None)

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Float32, Float32]:
        """Returns image float32 (*space, channels) and boxes float32 (boxes, 5), in pixels.

        An image moves after it was normalized, so that what was outside of it is 0.

        Args:
            image: As stored.
            annotation: Boxes as stored, perhaps none.
            random: Draws of this pass; None: no variation.
        """
        prepared = self.preprocessing.image(image)
        boxes = box_rows(annotation).astype(np.float32)
        if random is None or self.chain is None:
            return prepared, boxes
        draw = self.chain.draw(random, boxes, prepared.shape[:2])
        return self.chain.apply(prepared, draw), draw.boxes


@dataclass(frozen=True)
class BoxedPreparation:
    """Prepares samples of detectors.

    Attributes:
        images: Images and boxes as training sees them.
        encoder: Boxes to targets.

    Differs: images without boxes are trained on, as background (X6).
    """

    images: BoxedImages
    encoder: Encoder
    _scratch: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    @property
    def preprocessing(self) -> Preprocessing:
        """What happens to every image."""
        return self.images.preprocessing

    @property
    def random(self) -> bool:
        """Whether the same sample can come out differently in another pass."""
        return self.images.chain is not None

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Float32, Float32]:
        """Returns image float32 (*space, channels) and target float32 (anchors, classes + 1 + 12).

        The target is valid until this thread asks for another: fresh memory costs as much as all
        the rest.

        Args:
            image: As stored.
            annotation: Boxes as stored, (boxes, 5) or (5,).
            random: Draws of this pass; None: no variation.
        """
        prepared, boxes = self.images.sample(image, annotation, random)
        target = self.encoder.target(boxes, getattr(self._scratch, "target", None))
        self._scratch.target = target
        return prepared, target
