"""Batches of images of two files that do not pair: any X is trained with any y."""

from collections.abc import Generator, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.ahead import in_order
from dlae_core.data.pipeline import Batch, Deliveries, Make, Pipeline, Resources
from dlae_core.data.randomness import Purpose, generator


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
