"""What the tests of detection share: options, and the golden data of DLAE 1.0."""

import json
from typing import Any

import numpy as np

from dlae.v1.config_pb2 import BbdOptions, Config
from dlae_core.config import read_config, resolve_config
from tests.reference import reference_path

PER_HOOK = "per predictor layer"
FORMS = ("centroids", "corners", "minmax")


def detector_options(**settings: Any) -> BbdOptions:
    """Returns resolved options."""
    text = json.dumps({"bbd_options": settings})
    config: Config = resolve_config(read_config(text).config)
    return config.bbd_options


def golden_arrays() -> Any:
    """Returns the arrays of DLAE 1.0's detectors by key."""
    return np.load(reference_path("golden", "ssd.npz"))


def golden_texts() -> dict[str, Any]:
    """Returns what is beside the arrays."""
    texts: dict[str, Any] = json.loads(reference_path("golden", "ssd.json").read_text())
    return texts


def golden_options(case: dict[str, Any], **settings: Any) -> BbdOptions:
    """Returns one of the golden anchor configurations as options, without clipping (X11)."""
    per_layer = case["aspect_ratios_per_layer"]
    return detector_options(
        scaling_type=PER_HOOK,
        scales=case["scales"],
        aspect_ratios_type=PER_HOOK if per_layer else "global",
        aspect_ratios=per_layer or case["aspect_ratios_global"],
        steps=case["steps"],
        offsets=case["offsets"],
        coordinates_type=case["coords"],
        two_boxes_for_AR1_switch=case["two_boxes_for_ar1"],
        normalize_coordinates_switch=case["normalize_coords"],
        number_classes=case["n_classes"],
        variances=case["variances"],
        **settings,
    )


def image_of(case: dict[str, Any]) -> tuple[int, int]:
    """Returns rows and columns of a golden case."""
    return case["img_height"], case["img_width"]


def random_boxes(random: np.random.Generator, count: int, image: tuple[int, int]) -> np.ndarray:
    """Returns corners inside an image, at least 2 pixels long, float64 (count, 4)."""
    sides = np.array([image[1], image[0]])
    low = random.uniform(0, sides - 2, (count, 2))
    return np.concatenate([low, low + 2 + random.random((count, 2)) * (sides - low - 2)], axis=1)


def random_rows(
    random: np.random.Generator, count: int, image: tuple[int, int], classes: int
) -> np.ndarray:
    """Returns class, xmin, ymin, xmax, ymax, float64 (count, 5)."""
    kinds = random.integers(1, classes + 1, (count, 1))
    return np.concatenate([kinds, random_boxes(random, count, image)], axis=1)
