"""Organs of the pelvis in MR slices: `python -m examples.applications.organs`.

The manual's second application: an FCN whose encoder is Xception, with random weights, and whose
decoder is a series of resize convolutions. The network is the manual's with a narrower decoder, for
images of 72 x 72: they are not halved once more behind the encoder, and what is enlarged from 3 to
6 and from 5 to 10 pixels is cropped to the encoder's 5 and 9.

Phantoms: an axial slice of a body with fat around it, the femoral heads, and, one behind the other,
bladder, prostate and rectum, which are the classes 1 to 3. Places, sizes, intensities and the
inhomogeneity of the field vary.
"""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from examples.applications.shapes import Bools, as_image, ellipse, texture
from examples.parts import held_out, numbered, write_parts
from examples.running import Example, main

SIDE = 72
SHAPE = (SIDE, SIDE)
SLICES = 80
SEED = 21
# Of each class, in parts of the side: row of the centre, radii; then intensity and its variation.
ORGANS = (
    ("bladder", 0.32, (0.105, 0.155), 620, 15),
    ("prostate", 0.545, (0.095, 0.125), 380, 45),
    ("rectum", 0.75, (0.095, 0.095), 150, 60),
)
FAT, MUSCLE, BONE, NOISE = 700, 280, 520, 25


def phantom(random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Returns a slice, float32 (72, 72, 1), and its labels, uint8 (72, 72)."""
    body = _ellipse((0.51, 0.5), (0.42, 0.47))
    image = np.where(body, FAT, 0.0) + 60 * body * texture(random, SHAPE, 3)
    image[_ellipse((0.51, 0.5), (0.375, 0.41))] = MUSCLE
    image += 30 * body * texture(random, SHAPE, 2)
    for side in (-1, 1):
        socket = (random.normal(0.53, 0.02), 0.5 + side * random.uniform(0.26, 0.31))
        image[_ellipse(socket, (0.085, 0.085))] = BONE + random.normal(0, 30)
    labels = np.zeros(SHAPE, np.uint8)
    moved = random.normal(0, 0.02, 2)
    for kind, (_, row, radii, intensity, variation) in enumerate(ORGANS, 1):
        place = np.add((row, 0.5), moved) + random.normal(0, 0.015, 2)
        size = np.multiply(radii, random.uniform(0.8, 1.2, 2))
        inside = _ellipse(place, size, random.normal(0, 0.15))
        grain = variation * texture(random, SHAPE, 1.5)
        image[inside] = (intensity + random.normal(0, 40) + grain)[inside]
        labels[inside] = kind
    field = 1 + 0.12 * texture(random, SHAPE, SIDE / 4)
    return as_image(image * field + random.normal(0, NOISE, SHAPE)), labels


def prepare(folder: Path) -> None:
    """Writes slices and labels."""
    random = np.random.default_rng(SEED)
    write_parts(folder, *held_out(numbered([phantom(random) for _ in range(SLICES)])))


def _ellipse(centre: ArrayLike, radii: ArrayLike, angle: float = 0.0) -> Bools:
    """Returns the pixels within an ellipse that is given in parts of the side."""
    return ellipse(SHAPE, SIDE * np.asarray(centre), SIDE * np.asarray(radii), angle)


EXAMPLE = Example(
    name="organs",
    task="bladder, prostate and rectum with an Xception encoder (FCN)",
    config=Path(__file__).with_name("organs.json"),
    prepare=prepare,
    measure="dice",
    wanted=0.85,
)

if __name__ == "__main__":
    main(EXAMPLE)
