"""Other libraries that move an image and its mask, where they are installed."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]
Way = Callable[[np.ndarray], Pair]


def peers(image: np.ndarray, mask: np.ndarray) -> dict[str, Way]:
    """Returns what is installed of the peers for an image of two or three axes.

    Each takes a matrix from output to input positions, which keeps it from drawing its own.
    """
    rows = {2: {"albumentations": albumentations}, 3: {"SimpleITK": simple_itk}}
    return {name: make(image, mask) for name, make in rows[image.ndim].items() if find_spec(name)}


def albumentations(image: np.ndarray, mask: np.ndarray) -> Way:
    """Returns its affine transform of the parameters of the benchmark, drawn by itself.

    It takes no matrix; its accuracy cannot be compared.
    """
    library = import_module("albumentations")
    chain = library.Compose(
        [
            library.HorizontalFlip(p=0.5),
            library.VerticalFlip(p=0.5),
            library.Affine(
                rotate=(-15, 15),
                scale=(0.9, 1.1),
                shear=(-8, 8),
                translate_percent=(-0.08, 0.08),
                border_mode=1,
                p=1,
            ),
        ]
    )

    def way(matrix: np.ndarray) -> Pair:
        done = chain(image=image, mask=mask)
        return done["image"], done["mask"]

    return way


def simple_itk(image: np.ndarray, mask: np.ndarray) -> Way:
    """Returns its resampling. Beyond the border it takes the nearest voxel in all axes at once."""
    library = import_module("SimpleITK")
    library.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def resampled(array: np.ndarray, transform: object, method: int) -> np.ndarray:
        given = library.GetImageFromArray(array)
        place = (given.GetOrigin(), given.GetSpacing(), given.GetDirection())
        kind = given.GetPixelID()
        done = library.Resample(given, given.GetSize(), transform, method, *place, 0, kind, True)
        return library.GetArrayFromImage(done)

    def way(matrix: np.ndarray) -> Pair:
        # Counts slices first.
        turned = np.eye(4)[[2, 1, 0, 3]] @ matrix @ np.eye(4)[[2, 1, 0, 3]]
        transform = library.AffineTransform(3)
        transform.SetMatrix(turned[:3, :3].ravel().tolist())
        transform.SetTranslation(turned[:3, 3].tolist())
        return (
            resampled(image, transform, library.sitkLinear),
            resampled(mask, transform, library.sitkNearestNeighbor),
        )

    return way
