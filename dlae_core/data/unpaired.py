"""Images of two files that do not pair: any X is trained with any y."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.ahead import in_order
from dlae_core.data.inspection import Expectation, inspect_pairs
from dlae_core.data.pipeline import Batch, Deliveries, Make, Pipeline, Resources
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.source import Array, SampleFile
from dlae_core.errors import UnusableDataset

_NOTHING = np.zeros((), np.uint8)


class NoAnnotations:
    """In place of a file of annotations: every sample has the same one, a zero.

    Attributes:
        path: Of the images.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, out: Array | None = None) -> Array:
        """Returns the annotation of any sample, uint8 ()."""
        return _NOTHING

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of any annotation."""
        return _NOTHING.shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """Returns the element type of any annotation."""
        return _NOTHING.dtype


class UnannotatedFile:
    """Images without annotations, where a pair of files is expected.

    Attributes:
        images: The images.
        annotations: None to speak of.
        names: Names of the samples.
        surplus: Empty.
    """

    def __init__(self, images: SampleFile) -> None:
        self.images = images
        self.annotations = NoAnnotations(images.path)
        self.names = images.names
        self.surplus: tuple[str, ...] = ()


class UnpairedFiles:
    """Images X and images y, whose names mean nothing to each other.

    Attributes:
        images: The images X.
        annotations: The images y.
        names: Names of the images X, sorted by integer value.
        surplus: Empty.
    """

    def __init__(self, images: Path, annotations: Path) -> None:
        """Opens both files.

        Raises:
            UnusableDataset: A file is unusable.
        """
        self.images = SampleFile(images)
        try:
            self.annotations = SampleFile(annotations)
        except UnusableDataset:
            self.images.close()
            raise
        self.names = self.images.names
        self.surplus: tuple[str, ...] = ()

    def close(self) -> None:
        """Closes both files."""
        self.images.close()
        self.annotations.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def inspect_unpaired(files: UnpairedFiles, expected: Expectation) -> list[str]:
    """Returns every problem of both files as a sentence; see `inspect_pairs`."""
    problems: list[str] = []
    for file, shape in (
        (files.images, expected.image_shape),
        (files.annotations, expected.target_shape),
    ):
        # A zero is the first of two classes.
        wanted = replace(expected, image_shape=shape, target_shape=(), classes=2)
        problems += inspect_pairs(UnannotatedFile(file), wanted)
    return problems


class UnpairedPipeline:
    """Delivers batches of images and of others that do not belong to them.

    An epoch is that of the images. In every pass each of them meets one of the others: all others
    before one of them comes again, in an order that is a pure function of (seed, epoch, pass); in
    the order of the names where nothing is shuffled.
    """

    def __init__(
        self, images: Pipeline, others: Pipeline, seed: int | None, resources: Resources
    ) -> None:
        """Joins two pipelines.

        Args:
            images: Of X, with the batches of an epoch.
            others: Of y.
            seed: Of the order of the others; None: not shuffled.
            resources: What may be used.
        """
        self._images, self._others = images, others
        self._seed = seed
        self._resources = resources
        self._deliveries = Deliveries()

    @property
    def steps(self) -> int:
        """Number of batches of one epoch."""
        return self._images.steps

    @property
    def count(self) -> int:
        """Number of images."""
        return self._images.count

    def batches(self, epoch: int, start_step: int = 0) -> Generator[Batch]:
        """Yields the batches of an epoch; see `Pipeline.batches`."""
        return self._deliveries.begun(self._deliver(epoch, start_step))

    def names(self, epoch: int, step: int) -> tuple[str, ...]:
        """Returns the names of the images of a batch."""
        return self._images.names(epoch, step)

    def close(self) -> None:
        """Ends all deliveries; nothing reads the files afterwards."""
        self._deliveries.end()

    def _deliver(self, epoch: int, start_step: int) -> Generator[Batch]:
        makers = self._images.maker(epoch), self._others.maker(epoch)
        counts = self._images.count, self._others.count
        calls = (
            partial(_joined, makers, turn, (own, _partners(self._seed, counts, epoch, turn)[own]))
            for turn, own in self._images.plan(epoch, start_step)
        )
        yield from in_order(calls, self._resources.threads, self._resources.threads + 1)


@lru_cache(maxsize=4)
def _partners(seed: int | None, counts: tuple[int, int], epoch: int, turn: int) -> NDArray[np.intp]:
    """Returns the index of the other that each image meets in a pass."""
    images, others = counts
    orders = [np.arange(others) for _ in range(-(-images // others))]
    if seed is not None:
        random = generator(seed, Purpose.PARTNERS, epoch, turn)
        for order in orders:
            random.shuffle(order)
    return np.concatenate(orders)


def _joined(makers: tuple[Make, Make], turn: int, indices: Sequence[NDArray[np.intp]]) -> Batch:
    images, others = (make(turn, own) for make, own in zip(makers, indices, strict=True))
    return Batch(images.images, others.images, images.count)
