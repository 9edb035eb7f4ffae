"""Organs of the pelvis in MR slices: `python -m examples.applications.organs`.

The manual's second application: an FCN whose encoder is Xception, with random weights, and whose
decoder is a series of resize convolutions. The network is the manual's with a narrower decoder for
images of 96 x 96, which are not halved once more behind the encoder.

Phantoms: an axial slice of a body with fat around it, the femoral heads, and, one behind the other,
bladder, prostate and rectum, which are the classes 1 to 3. Places, sizes, intensities and the
inhomogeneity of the field vary.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.applications.shapes import as_image, ellipse, texture
from examples.parts import held_out, numbered, write_parts
from examples.running import Example, main

SHAPE = (96, 96)
SLICES = 80
SEED = 21
# Of each class: row and columns of the centre, radii in pixels, intensity, variation.
ORGANS = (
    ("bladder", (31, 48), (10, 15), 620, 15),
    ("prostate", (52, 48), (9, 12), 380, 45),
    ("rectum", (72, 48), (9, 9), 150, 60),
)
FAT, MUSCLE, BONE, NOISE = 700, 280, 520, 25


def phantom(random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Returns a slice, float32 (96, 96, 1), and its labels, uint8 (96, 96)."""
    body = ellipse(SHAPE, (49, 48), (40, 45))
    image = np.where(body, FAT, 0.0) + 60 * body * texture(random, SHAPE, 3)
    image[ellipse(SHAPE, (49, 48), (36, 39))] = MUSCLE
    image += 30 * body * texture(random, SHAPE, 2)
    for side in (-1, 1):
        socket = (51 + random.normal(0, 2), 48 + side * random.uniform(25, 30))
        image[ellipse(SHAPE, socket, (8, 8))] = BONE + random.normal(0, 30)
    labels = np.zeros(SHAPE, np.uint8)
    moved = random.normal(0, 2, 2)
    for kind, (_, centre, radii, intensity, variation) in enumerate(ORGANS, 1):
        place = np.add(centre, moved) + random.normal(0, 1.5, 2)
        size = np.multiply(radii, random.uniform(0.8, 1.2, 2))
        inside = ellipse(SHAPE, place, size, random.normal(0, 0.15))
        grain = variation * texture(random, SHAPE, 1.5)
        image[inside] = (intensity + random.normal(0, 40) + grain)[inside]
        labels[inside] = kind
    field = 1 + 0.12 * texture(random, SHAPE, 24)
    return as_image(image * field + random.normal(0, NOISE, SHAPE)), labels


def prepare(folder: Path) -> None:
    """Writes slices and labels."""
    random = np.random.default_rng(SEED)
    write_parts(folder, *held_out(numbered([phantom(random) for _ in range(SLICES)])))


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
