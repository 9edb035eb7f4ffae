"""The model of a session, applied to the samples of a file."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import CONFIG_FILE, Bundle, Manifest
from dlae_core.config import read_config, resolve_config
from dlae_core.data.ahead import in_order
from dlae_core.data.source import SampleFile, first_of
from dlae_core.detection.decoding import Decoder
from dlae_core.errors import UnusableDataset
from dlae_core.prediction import Predictor

Numbers = NDArray[np.generic]
Batch = tuple[list[str], Numbers]

# Most bytes of one batch as float32, in or out of the network, unless one sample has more.
_BATCH_BYTES = 256 << 20


class Applied:
    """A bundle and what it makes of images.

    Attributes:
        manifest: What the model is.
        engine: What runs it.
    """

    def __init__(self, bundle: Path) -> None:
        """Loads a bundle.

        Raises:
            CorruptArtifact: A file is missing, unreadable or not what was written.
            IncompatibleArtifact: The bundle is of another version.
        """
        self._predictor = Predictor(bundle)
        self.manifest: Manifest = self._predictor.manifest
        self.engine = self._predictor.engine
        config = resolve_config(read_config(Bundle.open(bundle).read(CONFIG_FILE)).config)
        self._resizes = config.prediction.resize_switch
        rows, columns = self.manifest.input_shape[:2]
        self._decoder = Decoder.from_options(config.bbd_options, (rows, columns))

    def outputs(self, images: Numbers) -> Sequence[Numbers]:
        """Returns the output for each image: of a detector its boxes, float32 (boxes, 6).

        Raises:
            InvalidImage: They do not suit the model.
        """
        output = self._predictor.predict(images)
        if self.manifest.family != "BBD":
            return list(output)
        return [self._decoder.boxes(one) for one in output]

    def check(self, file: SampleFile) -> None:
        """Checks that every sample has a shape and a type of the model's, without reading it.

        Raises:
            UnusableDataset: Some do not; they are named.
        """
        problems = [
            f"{file.path.name}: sample '{name}': {problem}"
            for name in file.names
            if (problem := self._problem(file.shape(name), file.dtype(name)))
        ]
        if problems:
            raise UnusableDataset(first_of(problems))

    def _problem(self, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> str:
        expected = self.manifest.input_shape
        if dtype.kind not in "biuf":
            return f"expected numbers, got {dtype}"
        whole = shape if len(shape) == len(expected) else (*shape, 1)
        if len(whole) != len(expected) or whole[-1] != expected[-1]:
            return f"expected an image {expected}, got {shape}"
        fixed = self.manifest.family == "CNN" and not self._resizes
        if fixed and whole != expected:
            return f"expected an image {expected}, got {shape}"
        return ""


def batches(file: SampleFile, manifest: Manifest, batch_size: int) -> Iterator[Batch]:
    """Yields names and images of consecutive samples of one shape and type, read one batch ahead.

    Args:
        file: The samples.
        manifest: What the model is.
        batch_size: Most samples of a batch; large ones come in smaller batches.
    """
    per_value = 4 * max(1.0, manifest.output_shape[-1] / manifest.input_shape[-1])
    groups = _groups(file, batch_size, int(_BATCH_BYTES / per_value))
    calls: Iterator[Callable[[], Batch]] = (partial(_read, file, names) for names in groups)
    yield from in_order(calls, threads=1, ahead=1)


def _groups(file: SampleFile, batch_size: int, values: int) -> Iterator[list[str]]:
    group: list[str] = []
    kind: tuple[object, ...] = ()
    for name in file.names:
        found = (file.shape(name), file.dtype(name))
        full = len(group) >= batch_size or (len(group) + 1) * math.prod(found[0]) > values
        if group and (found != kind or full):
            yield group
            group = []
        kind = found
        group.append(name)
    yield group


def _read(file: SampleFile, names: Sequence[str]) -> Batch:
    return list(names), np.stack([file.read(name) for name in names])
