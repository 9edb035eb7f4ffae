"""Handwritten digits in DLAE's HDF5 layout: `python -m examples.digits.prepare FOLDER`.

The 1,797 digits come with the scikit-learn package. Every fifth is held out.

Reference: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from dlae_core.data.source import write_samples

TEST_EVERY = 5


def prepare(folder: Path) -> None:
    """Writes `train_X.h5`, `train_y.h5`, `test_X.h5` and `test_y.h5`.

    Images are float64 (8, 8, 1), 0..16 as stored; annotations are int64 scalars, 0..9.
    """
    digits = load_digits()
    indices = range(len(digits.target))
    folder.mkdir(parents=True, exist_ok=True)
    for part, held_out in (("train", False), ("test", True)):
        chosen = [index for index in indices if (index % TEST_EVERY == 0) == held_out]
        images = [(str(index), digits.images[index][..., np.newaxis]) for index in chosen]
        classes = [(str(index), np.asarray(digits.target[index])) for index in chosen]
        write_samples(folder / f"{part}_X.h5", images)
        write_samples(folder / f"{part}_y.h5", classes)
        print(f"data     {len(chosen)} {part} digits")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
