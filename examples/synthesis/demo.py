"""Tissue maps made of T1-weighted slices: `python -m examples.synthesis.demo [--again]`.

Two examples on axial slices of the MNI152 template. pix2pix makes the map of grey matter and is
trained on pairs, 2 mm; every fifth slice is held out. cycleGAN makes the map of white matter, 3 mm:
slices of even number give the T1 images, those of odd number the maps, so that no image is trained
on together with its own map; every fifth pair is held out.
"""

from collections.abc import Sequence
from pathlib import Path

from dlae_core.data.source import write_samples
from examples.parts import Array, Pairs, held_out, write_parts
from examples.running import Example, main
from examples.tissue.prepare import BRAIN_INTENSITY, SLICE_MM, VOLUME_MM, maps, slices

SMALLEST_BRAIN_PX = 400
# Divisible by 16, as the networks halve it four times.
SMALL_SHAPE = (80, 64)


def prepare_pairs(folder: Path) -> None:
    """Writes T1 images and maps of grey matter, float32 (112, 96, 1), 0..1."""
    brain = maps(SLICE_MM)
    write_parts(folder, *held_out(_pairs(slices(brain.image), slices(brain.grey))))


def prepare_unpaired(folder: Path) -> None:
    """Writes T1 images and maps of white matter, float32 (80, 64, 1), 0..1."""
    brain = maps(VOLUME_MM)
    sides = (slices(one, SMALL_SHAPE) for one in (brain.image, brain.white))
    train, test = held_out(_pairs(*sides))
    write_parts(folder, train, test)
    images = [(name, image) for name, image, _ in train if int(name) % 2 == 0]
    targets = [(name, target) for name, _, target in train if int(name) % 2]
    write_samples(folder / "train_X.h5", images)
    write_samples(folder / "train_y.h5", targets)
    print(f"data     of these {len(images)} as T1 images, {len(targets)} as maps")


def _pairs(images: Sequence[Array], targets: Sequence[Array]) -> Pairs:
    """Returns the slices that show enough of the brain."""
    return [
        (str(number), image[..., None], target[..., None])
        for number, (image, target) in enumerate(zip(images, targets, strict=True))
        if (image > BRAIN_INTENSITY).sum() >= SMALLEST_BRAIN_PX
    ]


PAIRED = Example(
    name="pix2pix",
    task="map of grey matter from a T1-weighted slice (GAN, pix2pix)",
    config=Path(__file__).with_name("config_pix2pix.json"),
    prepare=prepare_pairs,
    measure="ssim",
    wanted=0.9,
)
UNPAIRED = Example(
    name="cyclegan",
    task="map of white matter from a T1-weighted slice, of no pairs (GAN, cycleGAN)",
    config=Path(__file__).with_name("config_cyclegan.json"),
    prepare=prepare_unpaired,
    measure="psnr",
    wanted=20.0,
)

if __name__ == "__main__":
    main(PAIRED, UNPAIRED)
