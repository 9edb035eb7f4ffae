"""Small data sets and configurations that train in seconds, for tests of the engine and above."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from dlae_core.data.source import write_samples

Sections = dict[str, dict[str, Any]]

CNN_LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:8:(3, 3)",
    # Whose averages soon follow the data.
    "Batch normalization:0.1:0.001",
    "Activation:relu",
    "Global average pooling 2D",
    "Dense:2",
    "Activation:softmax",
]
FCN_LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:8:(3, 3)",
    "Activation:relu",
    "Outer skip source",
    "Max pooling 2D:(2, 2)",
    "Convolution 2D:8:(3, 3)",
    "Activation:relu",
    "Resize convolution 2D:8:(3, 3)",
    "Outer skip target",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]
FCN_3D_LAYERS = [
    "Input:(8, 8, 4, 1)",
    "Convolution 3D:4:(3, 3, 3)",
    "Activation:relu",
    "Convolution 3D:2:(1, 1, 1)",
    "Activation:softmax",
]
# Boxes of about 13 and 26 pixels in images of 64 x 64.
BBD_LAYERS = [
    "Input:(64, 64, 1)",
    *(
        layer
        for filters in (8, 16, 24)
        for layer in (
            f"Convolution 2D:{filters}:(3, 3):(2, 2)",
            # Whose averages soon follow the data.
            "Batch normalization:0.1:0.001",
            "Activation:relu",
        )
    ),
    "Convolution 2D:32:(3, 3)",
    "Activation:relu",
    "Hook connection source",
    "Convolution 2D:32:(3, 3):(2, 2)",
    "Activation:relu",
    "Hook connection source",
]


def write_bright_images(folder: Path, count: int = 16, space: tuple[int, ...] = (8, 8)) -> None:
    """Writes images with a bright block, its class (left or right half) and its mask.

    Files: `X.h5` float32 (*space, 1), `classes.h5` int64 scalars, `masks.h5` uint8 (*space),
    `centers.h5` float32 (1,) with the column of the block's centre in units of the width.
    """
    random = np.random.default_rng(7)
    images, classes, masks, centers = [], [], [], []
    for index in range(count):
        column = int(random.integers(0, space[1] - 2))
        mask = np.zeros(space, np.uint8)
        mask[2:6, column : column + 3] = 1
        image = 100 * mask + random.normal(20, 5, space)
        name = str(index)
        images.append((name, image[..., np.newaxis].astype(np.float32)))
        classes.append((name, np.int64(column + 1 >= space[1] // 2)))
        masks.append((name, mask))
        centers.append((name, np.float32([(column + 1) / space[1]])))
    write_samples(folder / "X.h5", images)
    write_samples(folder / "classes.h5", [(name, np.asarray(value)) for name, value in classes])
    write_samples(folder / "masks.h5", masks)
    write_samples(folder / "centers.h5", centers)


def config_text(folder: Path, family: str = "FCN", **changes: Any) -> str:
    """Returns a configuration for the files of `write_bright_images`.

    Args:
        folder: Where the files are.
        family: `CNN` or `FCN`.
        changes: Values by `section__key`, such as `optimizer__optimizer="SGD"`.
    """
    sections: Sections = {
        "config_file": {"model_signal": family},
        "paths": {
            "train_X": str(folder / "X.h5"),
            "train_y": str(folder / ("masks.h5" if family == "FCN" else "classes.h5")),
        },
        "preprocessing": {"categorical_switch": True, "categories": 2},
        "augmentation": {"random_seed": 3},
        "loss_function": {"loss": "categorical_crossentropy"},
        "learning_rate_schedule": {"learning_rate": 0.01},
        "training_configurations": {
            "hardware": "cpu",
            "batch_size": 4,
            "epochs": 2,
            "validation_split": 0.25,
        },
        "layers": {"serial_layer_list": FCN_LAYERS if family == "FCN" else CNN_LAYERS},
    }
    for place, value in changes.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    return json.dumps(sections, indent=1)


def write_shapes(folder: Path, count: int = 16) -> None:
    """Writes images (64, 64) of bright squares and discs, and their boxes.

    Files: `shapes.h5` float32 (64, 64, 1), `boxes.h5` float64 (boxes, 5): squares are of class 1,
    discs of class 2, 12 to 28 pixels wide. The last image has none.
    """
    random = np.random.default_rng(7)
    images, boxes = [], []
    rows, columns = np.mgrid[:64, :64] + 0.5
    for index in range(count):
        image, found = random.normal(20, 5, (64, 64)), []
        # One in each of two quarters, so that none hides another.
        for corner in random.permutation(4)[: 0 if index == count - 1 else 2]:
            side = int(random.integers(12, 29))
            top, left = (
                random.integers(0, 33 - side, 2) + 32 * np.array(divmod(corner, 2))
            ).tolist()
            kind = int(random.integers(1, 3))
            down, across = rows - top - side / 2, columns - left - side / 2
            square = np.maximum(abs(down), abs(across)) < side / 2
            inside = square if kind == 1 else np.hypot(down, across) < side / 2
            image[inside] += 100
            found.append((kind, left, top, left + side, top + side))
        images.append((str(index), image[..., np.newaxis].astype(np.float32)))
        boxes.append((str(index), np.array(found, np.float64).reshape(-1, 5)))
    write_samples(folder / "shapes.h5", images)
    write_samples(folder / "boxes.h5", boxes)


def detector_text(folder: Path, **changes: Any) -> str:
    """Returns a configuration of a detector for the files of `write_shapes`.

    Args:
        folder: Where the files are.
        changes: As `config_text` takes them.
    """
    own: dict[str, Any] = {
        "config_file__model_signal": "BBD",
        "paths__train_X": str(folder / "shapes.h5"),
        "paths__train_y": str(folder / "boxes.h5"),
        "preprocessing__categorical_switch": False,
        "loss_function__loss": "ssd",
        "layers__serial_layer_list": BBD_LAYERS,
        "bbd_options__number_classes": 2,
        "bbd_options__scaling_type": "per predictor layer",
        "bbd_options__scales": [0.2, 0.35, 0.5],
        "bbd_options__aspect_ratios": [1.0],
        "bbd_options__two_boxes_for_AR1_switch": True,
    }
    return config_text(folder, **{**own, **changes})
