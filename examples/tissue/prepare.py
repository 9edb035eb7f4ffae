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

import numpy as np
from nilearn import datasets
from numpy.typing import NDArray

from dlae_core.data.source import write_samples

SLICE_MM, VOLUME_MM = 2, 3
SHAPE = (112, 96)
TEST_EVERY = 5
SMALLEST_BRAIN_PX = 400
CUBE = 32
# Cubes of one hemisphere begin at these voxels, from the back and from below.
CUBE_STARTS = ((6, 22, 38), (0, 10, 20))
CLASSES = ("background", "grey matter", "white matter", "other (mostly fluid)")
# T1 is scaled to 0..1; below this there is no tissue.
BRAIN_INTENSITY = 0.05
# A map below this does not speak for its tissue.
TISSUE_PROBABILITY = 0.4

Volume = NDArray[np.generic]
Pairs = list[tuple[str, Volume, Volume]]


def volumes(resolution_mm: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Returns the T1 image, float32 0..1, and its labels, uint8 0..3, both (x, y, z)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = datasets.load_mni152_template(resolution=resolution_mm).get_fdata()
        grey = datasets.load_mni152_gm_template(resolution=resolution_mm).get_fdata()
        white = datasets.load_mni152_wm_template(resolution=resolution_mm).get_fdata()
    image = image / image.max()
    brain = image > BRAIN_INTENSITY
    labels = np.where(brain, 3, 0).astype(np.uint8)
    labels[brain & (grey >= TISSUE_PROBABILITY) & (grey >= white)] = 1
    labels[brain & (white >= TISSUE_PROBABILITY) & (white > grey)] = 2
    return image.astype(np.float32), labels


def slices(volume: Volume) -> list[Volume]:
    """Returns axial slices (rows, cols) of SHAPE, front up, the volume's centre kept."""
    columns, rows, _ = volume.shape
    fitted = np.zeros((SHAPE[1], SHAPE[0], volume.shape[2]), volume.dtype)
    widths = (min(columns, SHAPE[1]), min(rows, SHAPE[0]))
    source = _centred((columns, rows), widths)
    target = _centred((SHAPE[1], SHAPE[0]), widths)
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
    held_out = {name for name, _, _ in pairs[TEST_EVERY // 2 :: TEST_EVERY]}
    train = [pair for pair in pairs if pair[0] not in held_out]
    write_parts(folder, train, [pair for pair in pairs if pair[0] in held_out])


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


def write_parts(folder: Path, train: Pairs, test: Pairs) -> None:
    """Writes `train_X.h5`, `train_y.h5`, `test_X.h5` and `test_y.h5`."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, pairs in (("train", train), ("test", test)):
        write_samples(folder / f"{part}_X.h5", [(name, image) for name, image, _ in pairs])
        write_samples(folder / f"{part}_y.h5", [(name, mask) for name, _, mask in pairs])
        print(f"data     {len(pairs)} {part} images of {' x '.join(map(str, pairs[0][2].shape))}")


def _centred(lengths: Sequence[int], widths: Sequence[int]) -> tuple[slice, ...]:
    starts = [(have - width) // 2 for have, width in zip(lengths, widths, strict=True)]
    return tuple(slice(start, start + width) for start, width in zip(starts, widths, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--volumes", action="store_true", help="write 3D cubes instead of slices")
    arguments = parser.parse_args()
    (prepare_volumes if arguments.volumes else prepare)(arguments.folder)
