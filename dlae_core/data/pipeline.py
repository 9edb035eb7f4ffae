"""Batches: exact epochs in a reproducible order, prepared ahead of the training step."""

import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.ahead import cores, in_order
from dlae_core.data.keeping import Arrays, Memory, PreparedSamples, StoredSamples
from dlae_core.data.normalization import Float32
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.samples import Array, Pairs

MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Batch:
    """Samples of one step.

    Attributes:
        images: float32 (count, *space, channels).
        targets: (count, ...) as the loss takes them.
        count: Number of samples; the last batch of a pass may be smaller.
    """

    images: Float32
    targets: NDArray[Any]
    count: int


@dataclass(frozen=True)
class Passes:
    """How samples are walked through.

    Attributes:
        batch_size: Samples per batch.
        rounds: Passes per epoch.
        shuffle: Whether every pass has an order of its own.
        seed: Seed of order and augmentation.
        augment: Whether samples vary at random.
    """

    batch_size: int
    rounds: int = 1
    shuffle: bool = False
    seed: int = 0
    augment: bool = False


@dataclass(frozen=True)
class Resources:
    """What a pipeline may use. It decides how fast batches come, never what is in them.

    Attributes:
        threads: Threads that prepare batches; 0: none but the consumer's own.
        memory: For samples that are kept and batches that are ahead; pipelines may share it.
    """

    threads: int = field(default_factory=cores)
    memory: Memory = field(default_factory=lambda: Memory(MEMORY_BYTES))


class Delivers(Protocol):
    """What training needs of a `Pipeline`."""

    @property
    def steps(self) -> int:
        """Number of batches of one epoch."""

    @property
    def count(self) -> int:
        """Number of samples."""

    def batches(self, epoch: int, start_step: int = 0) -> Generator[Batch]:
        """Yields the batches of an epoch."""

    def names(self, epoch: int, step: int) -> tuple[str, ...]:
        """Returns the names of the samples of a batch."""

    def close(self) -> None:
        """Ends all deliveries."""


class Prepares(Protocol):
    """What the pipeline needs of a `Preparation`."""

    @property
    def random(self) -> bool:
        """Whether the same sample can come out differently in another pass."""

    def sample(
        self, image: Array, annotation: Array, random: np.random.Generator | None
    ) -> tuple[Float32, NDArray[Any]]:
        """Returns image and target of a stored sample."""


# Of a pass and indices of samples.
Make = Callable[[int, NDArray[np.intp]], Batch]


class Deliveries:
    """Batches that are on their way, so that all can be ended at once."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[Generator[Batch]] = weakref.WeakSet()

    def begun(self, delivery: Generator[Batch]) -> Generator[Batch]:
        """Takes note of a delivery and returns it."""
        self._open.add(delivery)
        return delivery

    def end(self) -> None:
        """Ends all of them."""
        for delivery in tuple(self._open):
            # One that another thread is waiting for ends there.
            with suppress(ValueError):
                delivery.close()


class Pipeline:
    """Delivers the batches of an epoch.

    An epoch is exactly `rounds` passes over all samples. Order and augmentation are a pure function
    of (seed, epoch, pass, sample), so any epoch can be delivered at any time, from any step, by any
    number of threads.

    Differs: DLAE 1.0 let epochs and passes drift apart (D8).
    """

    def __init__(
        self,
        pairs: Pairs,
        names: Sequence[str],
        preparation: Prepares,
        passes: Passes,
        resources: Resources | None = None,
    ) -> None:
        self._names = tuple(names)
        self._preparation = preparation
        self._passes = passes
        self._resources = resources or Resources()
        self._random = passes.augment and preparation.random
        self._stored = StoredSamples(pairs, self._names, self._resources.memory)
        self._lock = threading.Lock()
        self._deliveries = Deliveries()

    @property
    def steps(self) -> int:
        """Number of batches of one epoch."""
        return self._passes.rounds * self._steps_per_pass

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self._names)

    @cached_property
    def example(self) -> Arrays:
        """Image and target of the first sample, prepared: what every batch is a stack of.

        Raises:
            UnusableDataset: The sample cannot be read.
        """
        image, target = self._prepare(0)
        return image.copy(), target.copy()

    def batches(self, epoch: int, start_step: int = 0) -> Generator[Batch]:
        """Yields the batches of an epoch, prepared by threads that run ahead.

        The threads end with the batches, with the first error, when the generator is closed or
        garbage, and when the pipeline is closed.

        Args:
            epoch: From 0.
            start_step: Batches to leave out at the beginning, without preparing them.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        return self._deliveries.begun(self._deliver(epoch, start_step))

    def names(self, epoch: int, step: int) -> tuple[str, ...]:
        """Returns the names of the samples of a batch.

        Args:
            epoch: From 0.
            step: From 0, below `steps`.
        """
        _, indices = next(self.plan(epoch, step))
        return tuple(self._names[index] for index in indices)

    def close(self) -> None:
        """Ends all deliveries; nothing reads the files afterwards."""
        self._deliveries.end()

    def maker(self, epoch: int) -> Make:
        """Returns what makes the batches of an epoch, in any number of threads."""
        # Settled by one thread, before there are others.
        with self._lock:
            prepared = self._prepared
        return partial(self._batch, epoch) if prepared is None else partial(_kept_batch, prepared)

    def plan(self, epoch: int, start_step: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Yields the pass and the sample indices of each batch of an epoch, from a step on."""
        size, steps = self._passes.batch_size, self._steps_per_pass
        for turn in range(start_step // steps, self._passes.rounds):
            order = np.arange(len(self._names))
            if self._passes.shuffle:
                generator(self._passes.seed, Purpose.ORDER, epoch, turn).shuffle(order)
            first = max(start_step - turn * steps, 0)
            for start in range(first * size, len(order), size):
                yield turn, order[start : start + size]

    def _deliver(self, epoch: int, start_step: int) -> Generator[Batch]:
        if not self._names:
            return
        with self._lock:
            ahead = self._ahead
        make = self.maker(epoch)
        calls = (partial(make, *place) for place in self.plan(epoch, start_step))
        yield from in_order(calls, self._resources.threads, ahead)

    @property
    def _steps_per_pass(self) -> int:
        return -(-len(self._names) // self._passes.batch_size)

    @cached_property
    def _ahead(self) -> int:
        """How many batches may wait: one per thread and one more, as far as memory allows."""
        nbytes = self._passes.batch_size * sum(one.nbytes for one in self.example)
        room = self._resources.memory.free // 2 // max(nbytes, 1)
        ahead = max(2, min(self._resources.threads + 1, room))
        self._resources.memory.take(ahead * nbytes)
        return ahead

    @cached_property
    def _prepared(self) -> PreparedSamples | None:
        """Samples in the form in which they are delivered, where they never vary and all fit."""
        nbytes = len(self._names) * sum(one.nbytes for one in self.example)
        if self._random or not self._resources.memory.take(nbytes):
            return None
        return PreparedSamples(len(self._names), self.example, self._prepare)

    def _batch(self, epoch: int, turn: int, indices: NDArray[np.intp]) -> Batch:
        images, targets = (np.empty((len(indices), *one.shape), one.dtype) for one in self.example)
        for row, index in enumerate(indices.tolist()):
            images[row], targets[row] = self._sample(epoch, turn, index)
        return Batch(images, targets, len(indices))

    def _sample(self, epoch: int, turn: int, index: int) -> Arrays:
        stored = self._stored.sample(index)
        if not self._random:
            return self._preparation.sample(*stored, None)
        place = (epoch, turn, int(self._names[index]))
        draws = generator(self._passes.seed, Purpose.AUGMENTATION, *place)
        return self._preparation.sample(*stored, draws)

    def _prepare(self, index: int) -> Arrays:
        return self._preparation.sample(*self._stored.passing(index), None)


def _kept_batch(prepared: PreparedSamples, turn: int, indices: NDArray[np.intp]) -> Batch:
    return Batch(*prepared.batch(indices), len(indices))
