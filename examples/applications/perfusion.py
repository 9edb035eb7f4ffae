"""A map of blood volume from 30 time points: `python -m examples.applications.perfusion`.

The manual's third application: pix2pix with a U-Net makes the map of relative cerebral blood volume
from the first 30 time points of a DCE-MRI, which are 30 channels.

Phantoms: a brain of grey and white matter, sometimes with a tumour whose rim is rich in blood and
leaks. Each pixel's signal is its baseline plus contrast agent in its blood, a gamma variate after a
delay, plus what has leaked out; the map is the blood volume, which no single time point shows.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.applications.shapes import Float, ellipse, texture
from examples.parts import held_out, numbered, write_parts
from examples.running import Example, main

SHAPE = (64, 64)
TIMES = 30
SLICES = 100
SEED = 33
# Of white matter, grey matter, rim and core of a tumour: blood volume, leakage, baseline.
TISSUES = np.array(
    [(0.22, 0.0, 0.75), (0.45, 0.0, 0.6), (0.85, 0.03, 0.55), (0.12, 0.015, 0.4)], np.float64
)
NOISE = 0.06


def phantom(random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the time points, float32 (64, 64, 30), and the map, float32 (64, 64, 1), 0..1."""
    brain = ellipse(SHAPE, (32, 32), random.uniform((25, 20), (29, 25)), random.normal(0, 0.1))
    kind = (texture(random, SHAPE, 3) > 0).astype(int)
    if random.random() < 0.7:
        centre, radius = random.uniform((20, 20), (44, 44)), random.uniform(5, 9)
        kind[ellipse(SHAPE, centre, (radius, radius))] = 2
        kind[ellipse(SHAPE, centre, (radius / 2, radius / 2))] = 3
    volume, leakage, baseline = np.moveaxis(TISSUES[kind], -1, 0)
    volume = np.clip(volume * (1 + 0.15 * texture(random, SHAPE, 2)), 0, 1) * brain
    arrival = 6 + random.uniform(0, 3) + 0.8 * texture(random, SHAPE, 6)
    blood = _bolus(np.arange(TIMES) - arrival[..., np.newaxis])
    leaked = leakage[..., np.newaxis] * np.cumsum(blood, axis=-1)
    signal = baseline[..., np.newaxis] + volume[..., np.newaxis] * blood + leaked
    signal = signal * brain[..., np.newaxis] + random.normal(0, NOISE, (*SHAPE, TIMES))
    return signal.astype(np.float32), volume[..., np.newaxis].astype(np.float32)


def prepare(folder: Path) -> None:
    """Writes time points and maps."""
    random = np.random.default_rng(SEED)
    write_parts(folder, *held_out(numbered([phantom(random) for _ in range(SLICES)])))


def _bolus(time: Float) -> Float:
    """Returns the first pass of a contrast agent: a gamma variate with its peak of 1 after 4."""
    after = np.maximum(time, 0) / 4
    return np.asarray((after * np.exp(1 - after)) ** 2)


EXAMPLE = Example(
    name="perfusion",
    task="map of blood volume from 30 time points (GAN, pix2pix)",
    config=Path(__file__).with_name("perfusion.json"),
    prepare=prepare,
    measure="ssim",
    wanted=0.9,
)

if __name__ == "__main__":
    main(EXAMPLE)
