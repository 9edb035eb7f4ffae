"""Prediction: a bundle applied to raw images, prepared as in training."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import CONFIG_FILE, Bundle, Manifest
from dlae_core.config import read_config, resolve_config
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.engines.choice import choose_engine, load_engine
from dlae_core.errors import InvalidImage
from dlae_core.flips import Run, flipping
from dlae_core.postprocessing.labels import labels_of
from dlae_core.tiling import HALVES, Tiling, tiled

Numbers = NDArray[np.generic]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Options:
    """How to predict, and what to make of it.

    Attributes:
        tiling: How images larger than the network's input are cut; for outputs per pixel.
        flips: Axes of space, from 0, over whose mirror images outputs are averaged.
        threshold: For labels: probability from which a pixel or image is no background.
        largest: For labels per pixel: keep the largest component of each class only.
        fill: For labels per pixel: fill the holes of each class.
    """

    tiling: Tiling = HALVES
    flips: tuple[int, ...] = ()
    threshold: float | None = None
    largest: bool = False
    fill: bool = False


PLAIN = Options()


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

    @property
    def per_pixel(self) -> bool:
        """Whether outputs have the space of the images, which may then be of any size above."""
        shape, output = self.manifest.input_shape, self.manifest.output_shape
        return len(output) == len(shape) and output[:-1] == shape[:-1]

    def predict(self, images: Numbers, labels: bool = False, options: Options = PLAIN) -> Numbers:
        """Predicts one batch.

        Args:
            images: (batch, *space, channels), raw intensities of any numeric type. The channel
                axis may be left out where the model has one channel. Where outputs are per pixel,
                space may be larger than the network's; every image is prepared as a whole.
            labels: Whether to return the most probable class instead of the output.
            options: How to predict, and what to make of it.

        Returns:
            float32 (batch, ...) as the network gives it; or uint8 (uint16 above 256 classes)
            (batch, *space) for labels.

        Raises:
            InvalidImage: Shape or values do not suit the model, or labels of a regression, or
                options that do not suit the model.
        """
        if labels and not self.manifest.classes:
            raise InvalidImage("expected a classification model to return labels, got a regression")
        checked = self._checked(images)
        run = self._flipping(options.flips)
        prepared = (self._preprocessing.image(image) for image in checked)
        tile, space = self.manifest.input_shape[:-1], checked.shape[1:-1]
        if not len(checked):
            shape = (*space, self.manifest.output_shape[-1])
            output = np.zeros((0, *(shape if self.per_pixel else self.manifest.output_shape)))
            return self._finished(output.astype(np.float32), labels, options)
        if space == tile:
            return self._finished(run(np.stack(list(prepared))), labels, options)
        # One by one: labels take far less memory than what they are made of.
        parts = [
            self._finished(tiled(image, tile, run, options.tiling)[np.newaxis], labels, options)
            for image in prepared
        ]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def warm_up(self) -> None:
        """Runs one empty image, so that the first caller does not wait for compilation."""
        self._engine.run(self._preprocessed_zeros())

    def _preprocessed_zeros(self) -> NDArray[np.float32]:
        zeros = np.zeros(self.manifest.input_shape, np.float32)
        return self._preprocessing.image(zeros)[np.newaxis]

    def _flipping(self, axes: tuple[int, ...]) -> Run:
        """Returns what runs the network, on mirror images as well where asked for."""
        if not axes:
            return self._engine.run
        shape = self.manifest.input_shape
        if len(set(axes)) < len(axes) or not all(0 <= axis < len(shape) - 1 for axis in axes):
            raise InvalidImage(f"expected different axes of {shape[:-1]} to flip, got {axes}")
        if not self.per_pixel and not (
            self.manifest.classes and len(self.manifest.output_shape) == 1
        ):
            raise InvalidImage(
                "expected a model of classes or of one output per pixel to flip images for, got "
                "one whose outputs are places; leave the flips out"
            )
        return flipping(self._engine.run, axes, self.per_pixel)

    def _finished(self, output: Float32, labels: bool, options: Options) -> Numbers:
        if not labels:
            return output
        found = labels_of(output, options.threshold)
        if self.per_pixel and (options.largest or options.fill):
            # SciPy takes a while to load.
            components = import_module("dlae_core.postprocessing.components")
            for number in range(len(found)):
                if options.largest:
                    found[number] = components.largest_components(found[number])
                if options.fill:
                    found[number] = components.filled_holes(found[number])
        return found

    def _checked(self, images: Numbers) -> Numbers:
        expected = self.manifest.input_shape
        if images.ndim == len(expected) and expected[-1] == 1:
            images = images[..., np.newaxis]
        if images.ndim != len(expected) + 1 or images.shape[-1] != expected[-1]:
            raise InvalidImage.of_shape(expected, images.shape)
        lengths = list(zip(images.shape[1:], expected, strict=True))
        if not self.per_pixel and any(length != least for length, least in lengths):
            raise InvalidImage.of_shape(expected, images.shape)
        if any(length < least for length, least in lengths):
            axes = ", ".join(map(str, expected))
            raise InvalidImage(
                f"expected images of shape (batch, {axes}) or larger, got {images.shape}; pad them"
            )
        if images.dtype.kind not in "biuf":
            raise InvalidImage(f"expected images of numbers, got {images.dtype}")
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise InvalidImage("expected finite intensities, got NaN or infinity")
        return images
