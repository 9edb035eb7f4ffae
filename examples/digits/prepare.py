"""Handwritten digits in DLAE's HDF5 layout: `python -m examples.digits.prepare FOLDER`.

The 1,797 digits come with the scikit-learn package. Every fifth is held out.

Reference: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from examples.parts import Pairs, held_out, write_parts


def prepare(folder: Path) -> None:
    """Writes `train_X.h5`, `train_y.h5`, `test_X.h5` and `test_y.h5`.

    Images are float64 (8, 8, 1), 0..16 as stored; annotations are int64 scalars, 0..9.
    """
    digits = load_digits()
    pairs: Pairs = [
        (str(number), image[..., np.newaxis], np.asarray(digit))
        for number, (image, digit) in enumerate(zip(digits.images, digits.target, strict=True))
    ]
    write_parts(folder, *held_out(pairs))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
