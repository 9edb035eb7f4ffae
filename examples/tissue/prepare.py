"""The MNI152 brain in DLAE's HDF5 layout: `python -m examples.tissue.prepare FOLDER [--volumes]`.

The T1-weighted template and its grey- and white-matter maps come with the nilearn package: the
average of 152 people, registered and skull-stripped. One average brain proves that the machinery
works; it says nothing about other people's brains.

- Slices (2D): axial, 2 mm, every fifth held out; its neighbours are among the training slices.
- Volumes (3D): cubes, 3 mm, overlapping within a hemisphere; the right one trains, the left one is
  held out. No voxel is in both, but the two are much alike. Rows run from left to right, so that a
  vertical flip mirrors one hemisphere into the other.

Reference: Fonov et al. (2011), Unbiased average age-appropriate atlases for pediatric studies.
"""

import argparse
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from nilearn import datasets
from numpy.typing import NDArray

from examples.parts import Array, Pairs, held_out, write_parts

SLICE_MM, VOLUME_MM = 2, 3
SHAPE = (112, 96)
SMALLEST_BRAIN_PX = 400
CUBE = 32
# Cubes of one hemisphere begin at these voxels, from the back and from below.
CUBE_STARTS = ((6, 22, 38), (0, 10, 20))
CLASSES = ("background", "grey matter", "white matter", "other (mostly fluid)")
# T1 is scaled to 0..1; below this there is no tissue.
BRAIN_INTENSITY = 0.05
# A map below this does not speak for its tissue.
TISSUE_PROBABILITY = 0.4

Volume = Array


class Maps(NamedTuple):
    """The brain: T1 image and tissue probabilities, float32 0..1, all (x, y, z)."""

    image: NDArray[np.float32]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]


def maps(resolution_mm: int) -> Maps:
    """Returns the T1 image and the probabilities of grey and white matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = datasets.load_mni152_template(resolution=resolution_mm).get_fdata()
        grey = datasets.load_mni152_gm_template(resolution=resolution_mm).get_fdata()
        white = datasets.load_mni152_wm_template(resolution=resolution_mm).get_fdata()
    return Maps(*(one.astype(np.float32) for one in (image / image.max(), grey, white)))


def volumes(resolution_mm: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Returns the T1 image, float32 0..1, and its labels, uint8 0..3, both (x, y, z)."""
    image, grey, white = maps(resolution_mm)
    brain = image > BRAIN_INTENSITY
    labels = np.where(brain, 3, 0).astype(np.uint8)
    labels[brain & (grey >= TISSUE_PROBABILITY) & (grey >= white)] = 1
    labels[brain & (white >= TISSUE_PROBABILITY) & (white > grey)] = 2
    return image, labels


def slices(volume: Volume, shape: tuple[int, int] = SHAPE) -> list[Volume]:
    """Returns axial slices (rows, cols) of a shape, front up, the volume's centre kept."""
    columns, rows, _ = volume.shape
    fitted = np.zeros((shape[1], shape[0], volume.shape[2]), volume.dtype)
    widths = (min(columns, shape[1]), min(rows, shape[0]))
    source = _centred((columns, rows), widths)
    target = _centred((shape[1], shape[0]), widths)
    fitted[target] = volume[source]
    return [np.rot90(fitted[:, :, index]) for index in range(volume.shape[2])]


def cubes(volume: Volume, left: bool) -> list[Volume]:
    """Returns overlapping cubes of CUBE voxels a side from one hemisphere."""
    middle = volume.shape[0] // 2
    x = middle - CUBE if left else middle
    return [
        volume[x : x + CUBE, y : y + CUBE, z : z + CUBE] for y, z in itertools.product(*CUBE_STARTS)
    ]


def prepare(folder: Path) -> None:
    """Writes slices, float32 (112, 96, 1) with masks uint8 (112, 96), as `write_parts` does."""
    image, labels = volumes(SLICE_MM)
    pairs: Pairs = [
        (str(index), picture[..., np.newaxis], mask)
        for index, (picture, mask) in enumerate(zip(slices(image), slices(labels), strict=True))
        if (mask > 0).sum() >= SMALLEST_BRAIN_PX
    ]
    write_parts(folder, *held_out(pairs))


def prepare_volumes(folder: Path) -> None:
    """Writes cubes, float32 (32, 32, 32, 1) with masks uint8 (32, 32, 32), as `write_parts`."""
    image, labels = volumes(VOLUME_MM)
    train, test = (
        [
            (str(index), cube[..., np.newaxis], mask)
            for index, (cube, mask) in enumerate(
                zip(cubes(image, left), cubes(labels, left), strict=True)
            )
        ]
        for left in (False, True)
    )
    write_parts(folder, train, test)


def _centred(lengths: Sequence[int], widths: Sequence[int]) -> tuple[slice, ...]:
    starts = [(have - width) // 2 for have, width in zip(lengths, widths, strict=True)]
    return tuple(slice(start, start + width) for start, width in zip(starts, widths, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--volumes", action="store_true", help="write 3D cubes instead of slices")
    arguments = parser.parse_args()
    (prepare_volumes if arguments.volumes else prepare)(arguments.folder)
