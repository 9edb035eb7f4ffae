"""Batches: exact epochs in a reproducible order, prepared ahead of the training step."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.normalization import Float32
from dlae_core.data.preparation import Preparation
from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.source import Array, PairedFiles

MEMORY_BYTES = 1 << 30
AHEAD = 4

Sample = tuple[Float32, NDArray[Any]]


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


class Pipeline:
    """Delivers the batches of an epoch.

    An epoch is exactly `rounds` passes over all samples. Order and augmentation are a pure function
    of (seed, epoch, pass, sample), so any epoch can be delivered at any time, from any step.

    Differs: DLAE 1.0 let epochs and passes drift apart (D8).
    """

    def __init__(
        self,
        pairs: PairedFiles,
        names: Sequence[str],
        preparation: Preparation,
        passes: Passes,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._names = tuple(names)
        self._preparation = preparation
        self._passes = passes
        self._random = passes.augment and preparation.random
        self._samples = _Samples(pairs, preparation, memory_bytes, prepared=not self._random)

    @property
    def steps(self) -> int:
        """Number of batches of one epoch."""
        return self._passes.rounds * -(-len(self._names) // self._passes.batch_size)

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self._names)

    def batches(self, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        """Yields the batches of an epoch, prepared by a thread that runs ahead.

        Args:
            epoch: From 0.
            start_step: Batches to leave out at the beginning, without preparing them.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        plan = list(self._plan(epoch))[start_step:]
        return _ahead(partial(self._batch, epoch, turn, indices) for turn, indices in plan)

    def _plan(self, epoch: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Yields the pass and the sample indices of each batch of an epoch."""
        size = self._passes.batch_size
        for turn in range(self._passes.rounds):
            order = np.arange(len(self._names))
            if self._passes.shuffle:
                generator(self._passes.seed, Purpose.ORDER, epoch, turn).shuffle(order)
            for start in range(0, len(order), size):
                yield turn, order[start : start + size]

    def _batch(self, epoch: int, turn: int, indices: NDArray[np.intp]) -> Batch:
        samples = [self._sample(epoch, turn, int(index)) for index in indices]
        images, targets = zip(*samples, strict=True)
        return Batch(np.stack(images), np.stack(targets), len(samples))

    def _sample(self, epoch: int, turn: int, index: int) -> Sample:
        name = self._names[index]
        if not self._random:
            return self._samples.prepared(name)
        image, annotation = self._samples.stored(name)
        seed = self._passes.seed
        draws = generator(seed, Purpose.AUGMENTATION, epoch, turn, int(name))
        return self._preparation.sample(image, annotation, draws)


class _Samples:
    """Samples from memory where they fit, else from disk every time."""

    def __init__(
        self, pairs: PairedFiles, preparation: Preparation, memory_bytes: int, prepared: bool
    ) -> None:
        self._pairs = pairs
        self._preparation = preparation
        self._free = memory_bytes
        self._kept: dict[str, tuple[Array, Array]] = {}

    def stored(self, name: str) -> tuple[Array, Array]:
        return self._kept.get(name) or self._keep(name, self._read(name))

    def prepared(self, name: str) -> Sample:
        kept = self._kept.get(name)
        return kept or self._keep(name, self._preparation.sample(*self._read(name), None))

    def _read(self, name: str) -> tuple[Array, Array]:
        return self._pairs.images.read(name), self._pairs.annotations.read(name)

    def _keep(self, name: str, sample: tuple[Array, Array]) -> tuple[Array, Array]:
        size = sample[0].nbytes + sample[1].nbytes
        if size <= self._free:
            self._free -= size
            self._kept[name] = sample
        return sample


def _ahead(calls: Iterable[Callable[[], Batch]]) -> Iterator[Batch]:
    """Yields the results of calls that a thread makes a few ahead; its errors are raised here."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="pipeline")
    pending: deque[Future[Batch]] = deque()
    try:
        for call in calls:
            pending.append(executor.submit(call))
            if len(pending) > AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
