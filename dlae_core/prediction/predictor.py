"""A bundle applied to raw images."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import CONFIG_FILE, MANIFEST_FILE, Bundle, Manifest, file_sha256
from dlae_core.config import read_config, resolve_config
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.detection.decoding import Decoder
from dlae_core.engines.loaded import Engines
from dlae_core.engines.precisions import FLOAT32
from dlae_core.errors import InvalidImage, InvalidOptions
from dlae_core.flips import Run, flipping
from dlae_core.postprocessing.resizing import resized, resized_points
from dlae_core.postprocessing.tiled_boxes import boxes_of_tiles
from dlae_core.prediction.finishing import Finishing
from dlae_core.prediction.images import checked_images, prepared
from dlae_core.prediction.options import Options, options_of
from dlae_core.tiling import slabs, tiled

Numbers = NDArray[np.generic]
Float32 = NDArray[np.float32]

DETECTORS = "BBD"


class Predictor:
    """Applies a trained model to raw images.

    Attributes:
        manifest: What the model is.
        sha256: Of the manifest's file, which holds the checksums of all others.
        config: The model's configuration, resolved.
        options: How the model predicts where nothing else is said.
        engines: All that can run it.
        engine: Name of the one that does where nothing else is said.
        preprocessing: What happens to images.
        outputs: What the model knows: `classes` (probabilities), `values` or `boxes`.
        per_pixel: Whether outputs have the space of the images, which may then be of any size
            above.
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
        self.sha256 = file_sha256(bundle / MANIFEST_FILE)
        self.config = resolve_config(read_config(opened.read(CONFIG_FILE)).config)
        self.engines = Engines(bundle, self.manifest, engine, threads)
        if self.config.prediction.precision not in self.engines.precisions:
            self.config.prediction.precision = FLOAT32
        self.options = options_of(self.config)
        statistics = Statistics.from_json(self.manifest.preprocessing)
        self.preprocessing = Preprocessing.from_config(self.config, statistics)
        self.outputs, self.per_pixel = _outputs(self.manifest), _is_per_pixel(self.manifest)
        self._tile = self.manifest.input_shape[:-1]
        self.engine = self.engines.named(self.options.precision)
        self._engine = self.engines.of(self.options.precision)

    def predict(
        self, images: Numbers, labels: bool | None = None, options: Options | None = None
    ) -> Numbers:
        """Predicts one batch.

        Args:
            images: (batch, *space, channels), raw intensities of any numeric type. The channel
                axis may be left out where the model has one channel. Where outputs are per pixel,
                space may be larger than the network's; every image is prepared as a whole.
            labels: Whether to return the most probable class instead of the output; None: what the
                options say.
            options: How to predict, and what to make of it; None: the model's own.

        Returns:
            float32 (batch, ...) as the network gives it, values in the units of the annotations
            where the options say so; or uint8 (uint16 above 256 classes) (batch, *space) for
            labels.

        Raises:
            InvalidImage: Shape or values do not suit the model, or labels of a regression.
            InvalidOptions: The options do not suit the model.
        """
        options = self.options if options is None else options
        if labels and self.outputs != "classes":
            raise InvalidImage(
                f"expected a classification model to return labels, got a model of {self.outputs}"
            )
        wanted = options.labels and self.outputs == "classes" if labels is None else labels
        finishing = Finishing(self, options, wanted)
        checked = checked_images(
            images, self.manifest.input_shape, options.resize, larger=self.per_pixel
        )
        run = self._running(options)
        if not len(checked):
            return finishing.cleaned(finishing.finished(self._nothing(checked.shape[1:-1])))
        if checked.shape[1:-1] == self._tile:
            return self._whole(checked, run, finishing)
        # One by one: labels take far less memory than what they are made of.
        each = self._of_resized if options.resize else self._of_tiles
        parts = [output[np.newaxis] for output in each(checked, run, finishing)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def boxes(self, images: Numbers, options: Options | None = None) -> list[Float32]:
        """Finds the boxes in each image of one batch.

        Args:
            images: As for `predict`; space may be larger than the network's.
            options: How to predict; None: the model's own.

        Returns:
            Of each image, float32 (boxes, 6): class from 1, confidence, xmin, ymin, xmax, ymax in
            pixels of the image, the most probable first.

        Raises:
            InvalidImage: Shape or values do not suit the model, or it is no detector.
            InvalidOptions: The options do not suit the model.
        """
        options = self.options if options is None else options
        if self.outputs != "boxes":
            raise InvalidImage(f"expected a detector to find boxes, got a model of {self.outputs}")
        shape = self.manifest.input_shape
        checked = checked_images(images, shape, options.resize, larger=True)
        run = self._running(options)
        decoder = self.decoder(options)

        def detect(tiles: Float32) -> list[Float32]:
            return [decoder.boxes(output) for output in run(tiles)]

        if checked.shape[1:-1] == self._tile:
            return [
                boxes
                for part in _parts(checked, options.together)
                for boxes in detect(self._prepared(part))
            ]
        if options.resize:
            return list(self._boxes_of_resized(checked, detect, options.tiling.tiles))
        return [
            boxes_of_tiles(
                self.preprocessing.image(image),
                self._tile,
                detect,
                options.tiling,
                decoder.suppression,
            )
            for image in checked
        ]

    def warm_up(self) -> None:
        """Runs one empty image, so that the first caller does not wait for compilation."""
        self._engine.run(self._prepared(np.zeros((1, *self.manifest.input_shape), np.float32)))

    def _prepared(self, images: Numbers) -> Float32:
        if len(images) == 1:
            return self.preprocessing.image(images[0])[np.newaxis]
        return np.stack([self.preprocessing.image(image) for image in images])

    def _nothing(self, space: tuple[int, ...]) -> Float32:
        """Returns the output for no images of a space."""
        output = self.manifest.output_shape
        shape = (*space, output[-1]) if self.per_pixel else output
        return np.zeros((0, *shape), np.float32)

    def _whole(self, images: Numbers, run: Run, finishing: Finishing) -> Numbers:
        """Predicts images of the network's size."""
        parts = [
            finishing.finished(run(self._prepared(part)))
            for part in _parts(images, finishing.options.together)
        ]
        return finishing.cleaned(np.concatenate(parts) if len(parts) > 1 else parts[0])

    def _of_resized(self, images: Numbers, run: Run, finishing: Finishing) -> Iterator[Numbers]:
        """Predicts images of another size, resized to the network's."""
        space = images.shape[1:-1]
        for part in _parts(images, finishing.options.tiling.tiles):
            for output in run(self._resized(part)):
                yield finishing.one(self._resized_back(output, space))

    def _of_tiles(self, images: Numbers, run: Run, finishing: Finishing) -> Iterator[Numbers]:
        """Predicts images larger than the network's, cut into tiles."""
        tiling = finishing.options.tiling
        for image in images:
            source = prepared(image, self.preprocessing)
            if finishing.labels:
                parts = slabs(source, self._tile, run, tiling)
                whole = _stacked(map(finishing.finished, parts), image.shape[:-1])
                yield finishing.cleaned(whole[np.newaxis])[0]
            else:
                yield finishing.one(tiled(source, self._tile, run, tiling))

    def _resized(self, images: Numbers) -> Float32:
        return self._prepared(np.stack([resized(image, self._tile) for image in images]))

    def _resized_back(self, output: Float32, space: tuple[int, ...]) -> Float32:
        if self.per_pixel:
            return resized(output, space)
        if self.config.preprocessing.annotation_type == "coordinates":
            return resized_points(output, self._tile, space)
        return output

    def _boxes_of_resized(
        self, images: Numbers, detect: Callable[[Float32], list[Float32]], most: int
    ) -> Iterator[Float32]:
        rows, cols = np.divide(images.shape[1:3], self._tile)
        scale = np.array([1, 1, cols, rows, cols, rows], np.float32)
        for part in _parts(images, most):
            for boxes in detect(self._resized(part)):
                yield boxes * scale

    def decoder(self, options: Options) -> Decoder:
        """Returns what makes a detector's output boxes."""
        rows, cols = self._tile
        decoder = Decoder.from_options(self.config.bbd_options, (rows, cols))
        if options.confidence is None:
            return decoder
        return replace(decoder, confidence=options.confidence)

    def _running(self, options: Options) -> Run:
        """Returns what runs the network, on mirror images as well where asked for."""
        own = options.precision == self.options.precision
        engine = self._engine if own else self.engines.of(options.precision)
        run, axes = engine.run, options.flips
        if not axes:
            return run
        shape = self.manifest.input_shape
        if len(set(axes)) < len(axes) or not all(0 <= axis < len(shape) - 1 for axis in axes):
            raise InvalidOptions(f"expected different axes of {shape[:-1]} to flip, got {axes}")
        per_image = self.outputs == "classes" and len(self.manifest.output_shape) == 1
        if not self.per_pixel and not per_image:
            raise InvalidOptions(
                "expected a model of classes or of one output per pixel to flip images for, got "
                "one whose outputs are places; leave the flips out"
            )
        return flipping(run, axes, self.per_pixel)


def _outputs(manifest: Manifest) -> str:
    if manifest.family == DETECTORS:
        return "boxes"
    return "classes" if manifest.classes else "values"


def _is_per_pixel(manifest: Manifest) -> bool:
    shape, output = manifest.input_shape, manifest.output_shape
    return len(output) == len(shape) and output[:-1] == shape[:-1]


def _parts(images: Numbers, most: int | None) -> Iterator[Numbers]:
    """Yields images, so many at once."""
    step = most or len(images)
    for start in range(0, len(images), step or 1):
        yield images[start : start + step]


def _stacked(parts: Iterable[Numbers], shape: tuple[int, ...]) -> Numbers:
    """Returns parts along the first axis as one array, without keeping them meanwhile."""
    whole, start = np.empty(0), 0
    for part in parts:
        if not start:
            whole = np.empty(shape, part.dtype)
        whole[start : start + len(part)] = part
        start += len(part)
    return whole
