"""Prediction: a bundle applied to raw images, prepared as in training."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import CONFIG_FILE, Bundle, Manifest
from dlae_core.config import read_config, resolve_config
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.engines.choice import choose_engine, load_engine
from dlae_core.errors import InvalidImage

Numbers = NDArray[np.generic]


class Predictor:
    """Applies a trained model to raw images.

    Attributes:
        manifest: What the model is.
        engine: Name of the engine that runs it.
    """

    def __init__(self, bundle: Path, engine: str | None = None, threads: int | None = None) -> None:
        """Loads a bundle.

        Args:
            bundle: Its folder.
            engine: One of `dlae_core.engines.choice.ENGINES`; None: the fastest on processors that
                can run this model.
            threads: That the engine may use; None: as many as there are cores.

        Raises:
            CorruptArtifact: A file is missing, unreadable or not what was written.
            IncompatibleArtifact: The bundle is of another version, or not for this engine.
        """
        opened = Bundle.open(bundle)
        self.manifest: Manifest = opened.manifest
        config = resolve_config(read_config(opened.read(CONFIG_FILE)).config)
        statistics = Statistics.from_json(self.manifest.preprocessing)
        self._preprocessing = Preprocessing.from_config(config, statistics)
        self.engine = choose_engine(self.manifest, engine)
        self._engine = load_engine(bundle, self.manifest, self.engine, threads)

    def predict(self, images: Numbers, labels: bool = False) -> Numbers:
        """Predicts one batch.

        Args:
            images: (batch, *space, channels), raw intensities of any numeric type. The channel
                axis may be left out where the model has one channel.
            labels: Whether to return the most probable class instead of the output.

        Returns:
            float32 (batch, ...) as the network gives it; or uint8 (uint16 above 256 classes)
            (batch, *space) for labels.

        Raises:
            InvalidImage: Shape or values do not suit the model, or labels of a regression.
        """
        if labels and not self.manifest.classes:
            raise InvalidImage("expected a classification model to return labels, got a regression")
        checked = self._checked(images)
        prepared = [self._preprocessing.image(image) for image in checked]
        output = np.zeros((0, *self.manifest.output_shape), np.float32)
        if prepared:
            output = self._engine.run(np.stack(prepared))
        return self._labels(output) if labels else output

    def warm_up(self) -> None:
        """Runs one empty image, so that the first caller does not wait for compilation."""
        self._engine.run(self._preprocessed_zeros())

    def _preprocessed_zeros(self) -> NDArray[np.float32]:
        zeros = np.zeros(self.manifest.input_shape, np.float32)
        return self._preprocessing.image(zeros)[np.newaxis]

    def _labels(self, output: Numbers) -> Numbers:
        small = np.uint8 if self.manifest.classes <= 256 else np.uint16
        labels: Numbers = output.argmax(axis=-1).astype(small)
        return labels

    def _checked(self, images: Numbers) -> Numbers:
        expected = self.manifest.input_shape
        if images.ndim == len(expected) and expected[-1] == 1:
            images = images[..., np.newaxis]
        if images.shape[1:] != expected:
            raise InvalidImage.of_shape(expected, images.shape)
        if images.dtype.kind not in "biuf":
            raise InvalidImage(f"expected images of numbers, got {images.dtype}")
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise InvalidImage("expected finite intensities, got NaN or infinity")
        return images
