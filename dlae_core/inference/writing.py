"""Predictions on disk: one dataset per sample, or as DLAE 1.0 wrote them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlae_core.bundle import written_whole
from dlae_core.data.source import write_samples
from dlae_core.data.writing import write_stacked
from dlae_core.errors import InvalidImage

PREDICTIONS = "predictions.h5"
NAMES = "names"

Numbers = NDArray[np.generic]
Named = tuple[str, Numbers]

# Family -> how DLAE 1.0's file names begin.
_PREFIXES = {"CNN": "cnn", "FCN": "fcn", "BBD": "bbd"}


def write_predictions(folder: Path, outputs: Iterable[Named]) -> Path:
    """Writes every output under the name of its sample; returns the file.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    path = folder / PREDICTIONS
    write_samples(path, outputs)
    return path


def write_legacy(folder: Path, family: str, names: Sequence[str], outputs: Iterable[Named]) -> Path:
    """Writes outputs as DLAE 1.0 did; returns the file.

    Boxes are datasets named by the position of their sample, which tell its own name in the
    attribute `name`. All others are one dataset `predictions`, with the names in another, `names`.

    Differs: DLAE 1.0 did not keep the names (I3), and wrote `(0,)` where there was no box.

    Args:
        folder: Where.
        family: Kind of model.
        names: Of the samples, in their order.
        outputs: Names and outputs, in the same order.

    Raises:
        InvalidImage: Outputs differ in shape, which one dataset cannot hold.
        StorageFailed: The disk is full or cannot be written.
    """
    stamp = datetime.now().strftime("date_%Y_%m_%d_time_%H_%M_%S")  # local time, as in 1.0
    path = folder / f"{_PREFIXES.get(family, 'gan')}_predictions_{stamp}.h5"
    if family == "BBD":
        numbered = enumerate(outputs)
        write_samples(path, ((str(at), rows, {"name": name}) for at, (name, rows) in numbered))
        return path
    with written_whole(path) as file:
        write_stacked(file, "predictions", len(names), _alike(outputs), {NAMES: _texts(names)})
    return path


def _alike(outputs: Iterable[Named]) -> Iterator[Numbers]:
    """Yields outputs of one shape.

    Raises:
        InvalidImage: One differs from those before.
    """
    shape = None
    for name, output in outputs:
        shape = shape or output.shape
        if output.shape != shape:
            raise InvalidImage(
                f"expected outputs of one shape because legacy_predictions_switch is True, got "
                f"{output.shape} for sample '{name}' after {shape}; switch it off"
            )
        yield output


def _texts(names: Sequence[str]) -> NDArray[np.generic]:
    return np.array([name.encode() for name in names])
