"""Brain metastases in post-contrast slices: `python -m examples.applications.metastases`.

The manual's fourth application: a detector with predictors at several resolutions and the loss of
SSD; its boxes are those of the connected components of the segmented metastases. The network has
the manual's form, with fewer and narrower layers, for images of 96 x 96.

Phantoms: a head with skull, grey and white matter and bright vessels, and none to four bright
metastases of 6 to 18 pixels and irregular outline, which take up contrast agent as vessels do.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from examples.applications.shapes import Bools, Float, as_image, ellipse, texture
from examples.components import boxes_of_components
from examples.parts import held_out, numbered, write_parts
from examples.running import Example, main

SHAPE = (96, 96)
SLICES = 150
SEED = 45
SMALLEST_PX = 12
MOST = 4
SKULL, GREY, WHITE, VESSEL, METASTASIS, NOISE = 500, 300, 380, 650, 620, 20


def phantom(random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Returns a slice, float32 (96, 96, 1), and the boxes, float64 (boxes, 5)."""
    angle = random.normal(0, 0.1)
    head = ellipse(SHAPE, (48, 48), (44, 36), angle)
    brain = ellipse(SHAPE, (48, 48), (40, 32), angle)
    image = np.where(head, float(SKULL), 0.0)
    matter = np.where(texture(random, SHAPE, 4) > 0, WHITE, GREY) + 15 * texture(random, SHAPE, 1)
    image[brain] = matter[brain]
    for _ in range(random.integers(2, 5)):
        image[_vessel(random) & brain] = VESSEL + random.normal(0, 40)
    mask = np.zeros(SHAPE, bool)
    for _ in range(random.integers(0, MOST + 1)):
        mask |= _metastasis(random) & brain
    image[mask] = METASTASIS + random.normal(0, 30)
    blurred: Float = ndimage.gaussian_filter(image, 0.6)
    noisy = blurred + random.normal(0, NOISE, SHAPE)
    return as_image(noisy), boxes_of_components(mask, SMALLEST_PX)


def prepare(folder: Path) -> None:
    """Writes slices and boxes."""
    random = np.random.default_rng(SEED)
    write_parts(folder, *held_out(numbered([phantom(random) for _ in range(SLICES)])))


def _metastasis(random: np.random.Generator) -> Bools:
    """Returns a blob whose outline is irregular."""
    centre, radii = random.uniform(26, 70, 2), random.uniform(3, 9, 2).clip(3, 9)
    rows, cols = np.indices(SHAPE, dtype=np.float64) - centre.reshape(2, 1, 1)
    distance = np.hypot(rows / radii[0], cols / radii[1]) + 0.12 * texture(random, SHAPE, 2)
    inside = distance <= 1
    components, _ = ndimage.label(inside)
    return np.asarray(inside & (components == np.bincount(components[inside]).argmax()))


def _vessel(random: np.random.Generator) -> Bools:
    """Returns a thin bent line."""
    start, angle = random.uniform(15, 80, 2), random.uniform(0, 2 * np.pi)
    step = np.linspace(0, random.uniform(15, 40), 120)
    bend = angle + random.uniform(-0.03, 0.03) * step
    points = np.stack([start[0] + step * np.cos(bend), start[1] + step * np.sin(bend)])
    rows, cols = np.clip(np.rint(points), 0, np.reshape(SHAPE, (2, 1)) - 1).astype(int)
    line = np.zeros(SHAPE, bool)
    line[rows, cols] = True
    return line


EXAMPLE = Example(
    name="metastases",
    task="boxes around brain metastases (BBD)",
    config=Path(__file__).with_name("metastases.json"),
    prepare=prepare,
    measure="map50",
    wanted=0.8,
)

if __name__ == "__main__":
    main(EXAMPLE)
