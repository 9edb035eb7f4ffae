"""The model of a session, applied to the samples of a file."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config, Prediction
from dlae_core.bundle import Manifest
from dlae_core.config import resolve_config
from dlae_core.data.ahead import in_order
from dlae_core.data.source import SampleFile, first_of
from dlae_core.errors import InvalidImage, UnusableDataset
from dlae_core.prediction import Predictor
from dlae_core.prediction.images import checked_images
from dlae_core.prediction.options import options_of

Numbers = NDArray[np.generic]
Batch = tuple[list[str], Numbers]

# Most bytes of one batch as float32, in or out of the network, unless one sample has more.
_BATCH_BYTES = 256 << 20
# Settings that a session may change, by section: all that act on images as they come.
_OF_SESSIONS = {
    "prediction": tuple(field.name for field in Prediction.DESCRIPTOR.fields),
    "bbd_options": ("confidence_threshold", "iou_threshold", "top_k", "nms_maximum_output"),
}


class Applied:
    """A bundle and what it makes of images in a session.

    Attributes:
        manifest: What the model is.
        engine: What runs it.
    """

    def __init__(self, bundle: Path, session: Config) -> None:
        """Loads a bundle.

        The model's own settings count. Of the section `prediction`, and of how boxes are chosen,
        what the session changes from its default counts instead.

        Args:
            bundle: Its folder.
            session: Resolved and checked.

        Raises:
            CorruptArtifact: A file is missing, unreadable or not what was written.
            IncompatibleArtifact: The bundle is of another version.
            InvalidOptions: The model cannot be predicted with in the session's precision.
        """
        self._predictor = Predictor(bundle)
        self.manifest: Manifest = self._predictor.manifest
        config = self._predictor.config
        for section, names in _OF_SESSIONS.items():
            _override(getattr(config, section), getattr(session, section), section, names)
        self._options = options_of(config)
        engines = self._predictor.engines
        engines.of(self._options.precision)
        self.engine = engines.named(self._options.precision)

    def outputs(self, images: Numbers) -> Sequence[Numbers]:
        """Returns the output for each image: of a detector its boxes, float32 (boxes, 6).

        Raises:
            InvalidImage: They do not suit the model.
            InvalidOptions: The settings of the section `prediction` do not.
        """
        if self._predictor.outputs == "boxes":
            return self._predictor.boxes(images, self._options)
        return list(self._predictor.predict(images, options=self._options))

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
        if dtype.kind not in "biuf":
            return f"expected numbers, got {dtype}"
        larger = self._predictor.per_pixel or self._predictor.outputs == "boxes"
        # Takes no memory.
        image = np.broadcast_to(np.uint8(0), (1, *shape))
        try:
            checked_images(image, self.manifest.input_shape, self._options.resize, larger)
        except InvalidImage as error:
            return str(error)
        return ""


def _override(own: Message, session: Message, section: str, names: Sequence[str]) -> None:
    """Sets what a session changes from its default."""
    default = getattr(resolve_config(Config()), section)
    usual = {field.name: value for field, value in default.ListFields()}
    changed = [
        field.name
        for field, value in session.ListFields()
        if field.name in names and value != usual.get(field.name)
    ]
    FieldMask(paths=changed).MergeMessage(session, own, True, True)


def batches_of(
    file: SampleFile, names: Sequence[str], manifest: Manifest, batch_size: int
) -> Iterator[Batch]:
    """Yields names and images of consecutive samples of one shape and type, read one batch ahead.

    Args:
        file: The samples.
        names: Those that are wanted.
        manifest: What the model is.
        batch_size: Most samples of a batch; large ones come in smaller batches.
    """
    per_value = 4 * max(1.0, manifest.output_shape[-1] / manifest.input_shape[-1])
    groups = _groups(file, names, batch_size, int(_BATCH_BYTES / per_value))
    calls: Iterator[Callable[[], Batch]] = (partial(_read, file, group) for group in groups)
    yield from in_order(calls, threads=1, ahead=1)


def _groups(
    file: SampleFile, names: Sequence[str], batch_size: int, values: int
) -> Iterator[list[str]]:
    group: list[str] = []
    kind: tuple[object, ...] = ()
    for name in names:
        found = (file.shape(name), file.dtype(name))
        full = len(group) >= batch_size or (len(group) + 1) * math.prod(found[0]) > values
        if group and (found != kind or full):
            yield group
            group = []
        kind = found
        group.append(name)
    if group:
        yield group


def _read(file: SampleFile, names: Sequence[str]) -> Batch:
    return list(names), np.stack([file.read(name) for name in names])
