"""Samples kept in memory, as far as they fit."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.samples import Pairs

# Image or images, target or targets.
Arrays = tuple[NDArray[Any], NDArray[Any]]


class Memory:
    """Memory that the samples of a training may take together."""

    def __init__(self, nbytes: int) -> None:
        self._free = nbytes
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return self._free

    def take(self, nbytes: int) -> bool:
        """Reserves bytes; returns whether there were enough."""
        with self._lock:
            if nbytes > self._free:
                return False
            self._free -= nbytes
            return True


class StoredSamples:
    """Samples as they are stored: from memory where they fit, else from disk every time."""

    def __init__(self, pairs: Pairs, names: Sequence[str], memory: Memory) -> None:
        self._pairs = pairs
        self._names = names
        self._memory = memory
        self._kept: dict[int, Arrays] = {}
        self._full = False
        self._scratch = threading.local()

    def sample(self, index: int) -> Arrays:
        """Returns image and annotation of a sample, valid until this thread asks for another.

        Raises:
            UnusableDataset: The sample cannot be read.
        """
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        if self._full:
            return self.passing(index)
        name = self._names[index]
        sample = self._pairs.images.read(name), self._pairs.annotations.read(name)
        self._full = not self._memory.take(sample[0].nbytes + sample[1].nbytes)
        if not self._full:
            self._kept[index] = sample
        return sample

    def passing(self, index: int) -> Arrays:
        """Returns a sample, as `sample` does, without keeping it.

        It is read into arrays of this thread: fresh memory costs as much as reading.
        """
        name = self._names[index]
        image, annotation = getattr(self._scratch, "arrays", (None, None))
        sample = (
            self._pairs.images.read(name, image),
            self._pairs.annotations.read(name, annotation),
        )
        self._scratch.arrays = sample
        return sample


class PreparedSamples:
    """Samples that never vary, each prepared once and kept."""

    def __init__(self, count: int, like: Arrays, prepare: Callable[[int], Arrays]) -> None:
        """Reserves room.

        Args:
            count: Number of samples.
            like: Image and target of one of them.
            prepare: Returns image and target of a sample.
        """
        self._images, self._targets = (np.empty((count, *one.shape), one.dtype) for one in like)
        self._known = np.zeros(count, np.bool_)
        self._prepare = prepare

    def batch(self, indices: NDArray[np.intp]) -> Arrays:
        """Returns images and targets of samples.

        Raises:
            UnusableDataset: A sample cannot be read.
        """
        # Two threads may prepare one sample at the same time: both write the same.
        for index in indices[~self._known[indices]].tolist():
            self._images[index], self._targets[index] = self._prepare(index)
            self._known[index] = True
        return self._images[indices], self._targets[indices]
