"""Landmarks of a brain: `python -m examples.coordinates.demo [--folder FOLDER] [--again]`.

A network tells where, in a sagittal slice, the front pole, the back pole and the top of the brain
are. The slices are of one hemisphere of the MNI152 template, 3 mm (the other is its mirror image);
each lies at several random places in its image. Every fifth slice is held out; its neighbours are
trained on.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.parts import Pairs, held_out, write_parts
from examples.running import Example, main
from examples.tissue.prepare import BRAIN_INTENSITY, VOLUME_MM, maps

SHAPE = (72, 88)
PLACES = 10
# Part of a slice's pixels that counts as outermost.
OUTERMOST = 0.02
SMALLEST_BRAIN_PX = 600
SEED = 3


def landmarks(brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns row and column of the front pole, the back pole and the top, float32 (6,).

    Args:
        brain: bool (rows, cols), front to the right. The mean of the outermost pixels is meant, as
            the last one jumps from slice to slice.
    """
    points = np.argwhere(brain)
    count = round(OUTERMOST * len(points))
    distances = (-points[:, 1], points[:, 1], points[:, 0])
    ends = [points[np.argsort(distance, kind="stable")[:count]] for distance in distances]
    return np.concatenate([end.mean(axis=0) for end in ends]).astype(np.float32)


def prepare(folder: Path) -> None:
    """Writes images float32 (72, 88, 1) and points float32 (6,): rows and columns in pixels."""
    image = maps(VOLUME_MM).image
    random = np.random.default_rng(SEED)
    slices = [np.rot90(plane) for plane in image[image.shape[0] // 2 :]]
    pairs: Pairs = [
        (str(number), plane, np.empty(0))
        for number, plane in enumerate(slices)
        if (plane > BRAIN_INTENSITY).sum() >= SMALLEST_BRAIN_PX
    ]
    train, test = (
        [
            (str(PLACES * int(name) + place), *_placed(plane, random))
            for name, plane, _ in part
            for place in range(PLACES)
        ]
        for part in held_out(pairs)
    )
    write_parts(folder, train, test)


def _placed(
    plane: NDArray[np.float32], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns a slice at a random place of a larger image, and its landmarks there."""
    room = np.subtract(SHAPE, plane.shape)
    row, col = random.integers(0, room + 1)
    image = np.zeros(SHAPE, np.float32)
    image[row : row + plane.shape[0], col : col + plane.shape[1]] = plane
    return image[..., np.newaxis], landmarks(image > BRAIN_INTENSITY)


EXAMPLE = Example(
    name="landmarks",
    task="poles and top of the brain in sagittal slices (CNN, coordinates)",
    config=Path(__file__).with_name("config.json"),
    prepare=prepare,
    measure="coordinate_error",
    wanted=1.5,
)

if __name__ == "__main__":
    main(EXAMPLE)
