"""Brachytherapy seeds in MR windows of 13 x 13 x 7: `python -m examples.applications.seeds`.

The manual's first application: one network tells windows that show a seed from others, a second one
where in its window the seed is. Both have the manual's layers; the batch normalization forgets
faster, as they are trained for few epochs.

Phantoms: smooth tissue with noise; a seed is a dark rod of about three slices, tilted, whose centre
is in the middle part of the window. Windows without a seed show tissue, a dark streak through all
of the window, or a broad dark patch.
"""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.applications.shapes import Float, as_image, texture
from examples.parts import Array, held_out, numbered, write_parts
from examples.running import Example, main

SHAPE = (13, 13, 7)
WINDOWS = 800
SEED = 12
# Intensities of tissue, of its variation, of noise, and what a seed takes away.
TISSUE, VARIATION, NOISE, VOID = 300.0, 40.0, 15.0, 220.0
RADIUS_PX, HALF_LENGTH = 1.2, 1.5


def window(random: np.random.Generator, has_seed: bool) -> tuple[NDArray[np.float32], Float]:
    """Returns a window, float32 (13, 13, 7, 1), and the seed's row, column and slice.

    Without a seed they are those of what else is there.
    """
    tissue = TISSUE + VARIATION * texture(random, SHAPE, 2.0)
    centre = np.array([random.uniform(3, 9), random.uniform(3, 9), random.uniform(2, 4)])
    dark = _rod(random, centre, HALF_LENGTH) if has_seed else _other(random, centre)
    noise = random.normal(0, NOISE, SHAPE)
    return as_image(tissue - VOID * dark + noise), centre


def prepare(folder: Path, located: bool) -> None:
    """Writes windows with their class (1: a seed), or those with a seed and its place, float32."""
    random = np.random.default_rng(SEED)
    samples: list[tuple[Array, Array]] = []
    for number in range(WINDOWS):
        has_seed = located or number % 2 == 0
        image, centre = window(random, has_seed)
        samples.append((image, centre.astype(np.float32) if located else np.array(int(has_seed))))
    write_parts(folder, *held_out(numbered(samples)))


def _rod(random: np.random.Generator, centre: Float, half_length: float) -> Float:
    """Returns 0..1, how much of a rod through the slices is in each voxel."""
    tilt = random.uniform(-0.4, 0.4, 2)
    rows, cols, slices = np.indices(SHAPE, dtype=np.float64) - centre.reshape(3, 1, 1, 1)
    across = (rows - tilt[0] * slices) ** 2 + (cols - tilt[1] * slices) ** 2
    along = np.clip(half_length + 0.5 - np.abs(slices), 0, 1)
    return np.asarray(np.exp(-across / (2 * RADIUS_PX**2)) * along)


def _other(random: np.random.Generator, centre: Float) -> Float:
    """Returns nothing, a streak in the plane of the slices, or a broad patch."""
    kind = random.integers(3)
    rows, cols, slices = np.indices(SHAPE, dtype=np.float64) - centre.reshape(3, 1, 1, 1)
    if kind == 0:
        return np.zeros(SHAPE)
    if kind == 1:
        angle = random.uniform(0, np.pi)
        across = rows * np.cos(angle) + cols * np.sin(angle)
        return np.asarray(np.exp(-(across**2 + slices**2) / (2 * RADIUS_PX**2)))
    return np.asarray(0.6 * np.exp(-(rows**2 + cols**2 + slices**2) / (2 * 4.0**2)))


FOLDER = Path(__file__).parent
CLASSIFIER = Example(
    name="seed-classifier",
    task="whether a window shows a seed (CNN)",
    config=FOLDER / "seed_classifier.json",
    prepare=partial(prepare, located=False),
    measure="accuracy",
    wanted=0.95,
)
LOCALIZER = Example(
    name="seed-localizer",
    task="where in its window a seed is (CNN, coordinates)",
    config=FOLDER / "seed_localizer.json",
    prepare=partial(prepare, located=True),
    measure="coordinate_error",
    wanted=1.0,
)

if __name__ == "__main__":
    main(CLASSIFIER, LOCALIZER)
