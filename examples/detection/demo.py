"""Boxes around white matter: `python -m examples.detection.demo [--folder FOLDER] [--again]`.

In axial slices of the MNI152 template, 2 mm, each connected component of a hemisphere's white
matter is an object: one island per side in the middle and above; temporal lobes, halves of
cerebellum and brain stem below. Every fifth slice is held out; its neighbours are trained on.
"""

from pathlib import Path

import numpy as np

from examples.components import boxes_of_components
from examples.parts import Pairs, held_out, write_parts
from examples.running import Example, main
from examples.tissue.prepare import CLASSES, SLICE_MM, slices, volumes

SMALLEST_PX = 60
WHITE = CLASSES.index("white matter")


def prepare(folder: Path) -> None:
    """Writes images float32 (112, 96, 1) and boxes float64 (boxes, 5)."""
    image, labels = volumes(SLICE_MM)
    pairs: Pairs = []
    for number, (picture, tissue) in enumerate(zip(slices(image), slices(labels), strict=True)):
        white = np.asarray(tissue == WHITE)
        middle = white.shape[1] // 2
        white[:, middle - 1 : middle + 1] = False
        boxes = boxes_of_components(white, SMALLEST_PX)
        if len(boxes):
            pairs.append((str(number), picture[..., np.newaxis], boxes))
    write_parts(folder, *held_out(pairs))


EXAMPLE = Example(
    name="islands",
    task="boxes around the islands of white matter of each hemisphere (BBD)",
    config=Path(__file__).with_name("config.json"),
    prepare=prepare,
    measure="map50",
    wanted=0.8,
)

if __name__ == "__main__":
    main(EXAMPLE)
