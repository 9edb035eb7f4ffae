"""Question: how many image and mask pairs does one core augment, beside SciPy and other libraries?

Rotation, shifts, shear, zoom and flips of a 512 x 512 image with its mask, and of a 128 x 128 x 64
volume with its mask, in the plane as DLAE 1.0 and about all axes; images linear, masks nearest. All
get the same matrices and take turns. SciPy is the reference; `original` is how DLAE 1.0 works:
channel by channel, the mask linear too; `sample` is our whole preparation: geometry, brightness,
normalization and one-hot of a sample in memory. Peers run where they are installed: albumentations
(2D), SimpleITK (3D).

Times are those of the processor, on one thread, the fastest of some rounds: other programs only
ever add time. `error` is the largest difference to SciPy in float64 on noise, in units of the
noise's range, `mask_error` the share of other mask pixels.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.augmentation_peers import peers
from dlae.v1.config_pb2 import Augmentation
from dlae_core.config import read_config, resolve_config
from dlae_core.data.inspection import Expectation
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.preparation import Preparation
from dlae_core.data.transforms import Geometry, Variation
from dlae_core.data.transforms.filling import SCIPY_MODES
from dlae_core.data.transforms.matrices import Matrix

CLASSES = 3
ROUNDS = 15
# One mixes classes, one draws its own matrices, one is the reference but for its borders.
INCOMPARABLE = ("original", "albumentations", "scipy")


Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        name: Name in the report.
        space: Pixels along each axis.
        axes: What is rotated about.
        fill: What stands outside.
        pairs: Number of pairs per round.
        goal: The fastest correct peer known, over SciPy; None: no peer was measured.
    """

    name: str
    space: tuple[int, ...]
    axes: str
    fill: str
    pairs: int
    goal: float | None


CASES = (
    Case("plane", (512, 512), "in-plane", "constant", 6, 16.0),
    Case("plane, border nearest", (512, 512), "in-plane", "nearest", 6, None),
    Case("volume, in plane", (128, 128, 64), "in-plane", "nearest", 2, 2.3),
    Case("volume, all axes", (128, 128, 64), "all", "nearest", 2, 2.3),
)


@dataclass(frozen=True)
class Task:
    """One image with its mask, and the matrices to move them by."""

    image: np.ndarray
    mask: np.ndarray
    matrices: list[Matrix]
    geometry: Geometry


def main() -> None:
    """Measures and prints one line per case."""
    for case in CASES:
        config = configuration(case)
        task = some_task(case, config.augmentation)
        ways: dict[str, Callable[[Matrix], Pair]] = {
            "ours": partial(moved, task),
            "scipy": partial(by_scipy, task, 0, case.fill),
            "original": partial(by_scipy, task, 1, case.fill),
            **peers(task.image, task.mask),
        }
        seconds = {way: min(times) for way, times in measured(ways, task).items()}
        seconds["sample"] = min(sample_seconds(config, task))
        print(json.dumps(report(case, task, ways, seconds)))


def configuration(case: Case) -> Any:
    """Returns a resolved configuration with every geometric transform on."""
    sections = {
        "config_file": {"model_signal": "FCN"},
        "augmentation": {
            "apply_augmentation_switch": True,
            "rotation_range": 15,
            "rotation_axes": case.axes,
            "fill_mode": case.fill,
            "width_shift": 0.08,
            "height_shift": 0.08,
            "shear_range": 8,
            "zoom_range": 0.1,
            "horizontal_flip_switch": True,
            "vertical_flip_switch": True,
            "brightness_range": [0.8, 1.2],
        },
        "layers": {"serial_layer_list": [f"Input:{(*case.space, 1)}"]},
    }
    return resolve_config(read_config(json.dumps(sections)).config)


def some_task(case: Case, settings: Augmentation) -> Task:
    """Returns noise, a mask of blocks, and matrices as training draws them."""
    random = np.random.default_rng(1)
    geometry = Geometry.from_config(settings)
    blocks = random.integers(0, CLASSES, [size // 8 for size in case.space]).astype(np.uint8)
    mask = np.kron(blocks, np.ones([8] * len(case.space), np.uint8))
    matrices = [geometry.draw(random, case.space) for _ in range(case.pairs)]
    return Task(random.random(case.space, np.float32), mask, matrices, geometry)


def moved(task: Task, matrix: Matrix) -> Pair:
    """Returns image and mask as DLAE moves them."""
    image = task.geometry.image(task.image[..., np.newaxis], matrix)[..., 0]
    return image, task.geometry.labels(task.mask, matrix)


def by_scipy(task: Task, order: int, mode: str, matrix: Matrix) -> Pair:
    """Returns image and mask as SciPy moves them, the mask by an order."""
    mask = task.mask.astype(np.float32) if order else task.mask
    return (
        ndimage.affine_transform(task.image, matrix, order=1, mode=mode),
        ndimage.affine_transform(mask, matrix, order=order, mode=mode),
    )


def measured(ways: Mapping[str, Callable[[Matrix], Pair]], task: Task) -> dict[str, list[float]]:
    """Returns the processor seconds of one pair, per way and round, after a round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            start = time.process_time()
            for matrix in task.matrices:
                way(matrix)
            if turn:
                times[name].append((time.process_time() - start) / len(task.matrices))
    return times


def sample_seconds(config: Any, task: Task) -> Iterator[float]:
    """Yields the processor seconds of the whole preparation of one sample."""
    space = task.mask.shape
    preparation = Preparation(
        preprocessing=Preprocessing.from_config(config, Statistics()),
        expected=Expectation((*space, 1), space, CLASSES),
        target_kind="one_hot",
        variation=Variation.from_config(config.augmentation),
        per_pixel=True,
    )
    random = np.random.default_rng(2)
    for _ in range(ROUNDS):
        start = time.process_time()
        # Kept together, as in a batch.
        batch = [preparation.sample(task.image, task.mask, random) for _ in range(4)]
        yield (time.process_time() - start) / len(batch)


def report(
    case: Case,
    task: Task,
    ways: Mapping[str, Callable[[Matrix], Pair]],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Returns the line to print."""
    exact = Task(task.image.astype(np.float64), task.mask, task.matrices, task.geometry)
    # Timed is SciPy's `constant`, the faster one; ours is its `grid-constant`.
    mode = SCIPY_MODES[case.fill]
    references = [by_scipy(exact, 0, mode, matrix) for matrix in task.matrices]
    rows = {}
    for way, took in seconds.items():
        rows[way] = {"pairs_per_second": round(1 / took, 1)}
        rows[way]["over_scipy"] = round(seconds["scipy"] / took, 2)
        if way in ways and way not in INCOMPARABLE:
            rows[way] |= errors([ways[way](matrix) for matrix in task.matrices], references)
    ratio = rows["ours"]["over_scipy"]
    told = {"benchmark": "augmentation", "case": case.name, **rows}
    return {**told, "ratio": ratio, "goal": case.goal}


def errors(pairs: list[Pair], references: list[Pair]) -> dict[str, float]:
    """Returns the largest difference of the images, and the share of other mask pixels."""
    images = [np.abs(one[0] - two[0]).max() for one, two in zip(pairs, references, strict=True)]
    masks = [(one[1] != two[1]).mean() for one, two in zip(pairs, references, strict=True)]
    return {"error": round(float(max(images)), 6), "mask_error": round(float(max(masks)), 6)}


if __name__ == "__main__":
    main()
