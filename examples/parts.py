"""Training and test samples of an example, in DLAE's HDF5 layout."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dlae_core.data.source import write_samples

TEST_EVERY = 5

Array = NDArray[Any]
# Name, image, annotation.
Pairs = list[tuple[str, Array, Array]]


def held_out(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Returns the samples to train on and every fifth, to test on."""
    test = pairs[TEST_EVERY // 2 :: TEST_EVERY]
    names = {name for name, _, _ in test}
    return [pair for pair in pairs if pair[0] not in names], test


def numbered(samples: Sequence[tuple[Array, Array]]) -> Pairs:
    """Returns images with their annotations under the names 0, 1, ..."""
    return [(str(number), *sample) for number, sample in enumerate(samples)]


def write_parts(folder: Path, train: Pairs, test: Pairs) -> None:
    """Writes `train_X.h5`, `train_y.h5`, `test_X.h5` and `test_y.h5`."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, pairs in (("train", train), ("test", test)):
        write_samples(folder / f"{part}_X.h5", [(name, image) for name, image, _ in pairs])
        write_samples(folder / f"{part}_y.h5", [(name, truth) for name, _, truth in pairs])
        print(f"data     {len(pairs)} {part} images of {' x '.join(map(str, pairs[0][1].shape))}")
