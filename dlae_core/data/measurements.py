"""What is measured on training samples: in one pass, by threads, and only once for equal data."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import dlae
from dlae_core.bundle import write_text
from dlae_core.data.ahead import in_order
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Resources
from dlae_core.data.source import Array, SampleFile
from dlae_core.data.targets import class_weights
from dlae_core.errors import StorageFailed

T = TypeVar("T")


class Measurements:
    """Measures the training samples.

    With a folder, results are kept there and found again by the content of the files, the samples
    and the settings that matter. A result that is damaged or cannot be kept is measured again.
    """

    def __init__(
        self,
        names: Sequence[str],
        hashes: Mapping[str, Mapping[str, Any]],
        resources: Resources,
        folder: Path | None = None,
    ) -> None:
        """Prepares measuring.

        Args:
            names: The training samples.
            hashes: Per role (`train_X`, `train_y`) the `sha256` of the file.
            resources: What measuring may use.
            folder: Where results are kept; None: nowhere.
        """
        self._names = tuple(names)
        self._hashes = hashes
        self._resources = resources
        self._folder = folder

    def statistics(self, images: SampleFile, preprocessing: Preprocessing) -> Statistics:
        """Returns mean and deviation of each channel over the training images.

        Raises:
            UnusableDataset: An image cannot be read.
        """

        def measure() -> dict[str, Any]:
            return Statistics.of(self._each(images, preprocessing.raw)).to_json()

        key = {"kind": "statistics", "train_X": self._hashes["train_X"]["sha256"]}
        return Statistics.from_json(self._remembered(key, measure))

    def class_weights(
        self, annotations: SampleFile, numbers: Callable[[Array], NDArray[np.int32]], classes: int
    ) -> NDArray[np.float64]:
        """Returns the weight of each class over the training annotations, float64 (classes,).

        Args:
            annotations: The annotations.
            numbers: Returns the class numbers of a stored annotation.
            classes: Number of classes.

        Raises:
            UnusableDataset: An annotation cannot be read.
        """

        def measure() -> dict[str, Any]:
            return {"weights": class_weights(self._each(annotations, numbers), classes).tolist()}

        key = {
            "kind": "class weights",
            "train_y": self._hashes["train_y"]["sha256"],
            "classes": classes,
        }
        return np.asarray(self._remembered(key, measure)["weights"], np.float64)

    def _each(self, file: SampleFile, look: Callable[[Array], T]) -> Iterator[T]:
        """Yields what each sample looks like, read ahead as far as threads and memory allow."""

        def one(name: str) -> T:
            return look(file.read(name))

        # Looking may turn a byte into a float32.
        nbytes = 4 * math.prod(file.shape(self._names[0]))
        room = self._resources.memory.free // max(nbytes, 1)
        ahead = max(1, min(self._resources.threads + 1, room))
        calls = (partial(one, name) for name in self._names)
        return in_order(calls, self._resources.threads, ahead)

    def _remembered(
        self, facts: Mapping[str, Any], measure: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        if self._folder is None:
            return measure()
        key = json.dumps({**facts, "version": dlae.__version__, "names": self._names})
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        # Whatever stands there is used only if it is the answer to this very question.
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key:
                found: dict[str, Any] = kept["values"]
                return found
        values = measure()
        with suppress(OSError, StorageFailed):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps({"key": key, "values": values}))
        return values
