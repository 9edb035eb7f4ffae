"""Question: how long do a detector's targets and boxes take, next to a step of training?

The 8,732 anchors of an SSD on 300 x 300 pixels with 20 classes. Encoded are 8 images with 20 boxes
each. Decoded is, image by image with 1.0's thresholds, the output of a network that has learned
(every object found by dozens of anchors, all else background), and of one that has not (random
probabilities, thousands of candidates). Times are those of the processor, on one thread, the
fastest of some rounds: other programs only ever add time.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dlae.v1.config_pb2 import BbdOptions
from dlae_core.config import read_config, resolve_config
from dlae_core.detection.decoding import Decoder
from dlae_core.detection.encoding import Encoder

IMAGE = (300, 300)
MAPS = [(38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)]
FEW, MANY = [1.0, 2.0, 0.5], [1.0, 2.0, 0.5, 3.0, 1 / 3]
CLASSES = 20
IMAGES, BOXES = 8, 20
ROUNDS = 30
GOAL_ENCODE_MS, GOAL_DECODE_MS = 10.0, 5.0


def main() -> None:
    """Measures and prints one line."""
    options, random = ssd_options(), np.random.default_rng(1)
    encoder, decoder = (
        Encoder.of_network(options, IMAGE, MAPS),
        Decoder.from_options(options, IMAGE),
    )
    images = [some_boxes(random) for _ in range(IMAGES)]
    targets = encoder.targets(images)
    outputs = {"learned": learned(targets[0], random), "unlearned": unlearned(targets[0], random)}
    told: dict[str, Any] = {"benchmark": "detection", "anchors": targets.shape[1]}
    told["encode_ms"] = fastest_ms(lambda: encoder.targets(images))
    told["encode_goal_ms"] = GOAL_ENCODE_MS
    for name, output in outputs.items():
        candidates = int((output[:, 1 : CLASSES + 1] > options.confidence_threshold).sum())
        told[f"decode_{name}_ms"] = fastest_ms(lambda output=output: decoder.boxes(output))
        told[f"{name}_candidates"] = candidates
        told[f"{name}_boxes"] = len(decoder.boxes(output))
    print(json.dumps({**told, "decode_goal_ms": GOAL_DECODE_MS}))


def ssd_options() -> BbdOptions:
    """Returns the options of SSD300, with the thresholds of DLAE's defaults."""
    settings = {
        "scaling_type": "per predictor layer",
        "scales": [0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05],
        "aspect_ratios_type": "per predictor layer",
        "aspect_ratios": [FEW, MANY, MANY, MANY, FEW, FEW],
        "two_boxes_for_AR1_switch": True,
        "normalize_coordinates_switch": True,
        "number_classes": CLASSES,
    }
    config: Any = resolve_config(read_config(json.dumps({"bbd_options": settings})).config)
    options: BbdOptions = config.bbd_options
    return options


def some_boxes(random: np.random.Generator) -> np.ndarray:
    """Returns the boxes of one image, (boxes, 5), 10 to 120 pixels long."""
    low = random.uniform(0, 180, (BOXES, 2))
    high = low + random.uniform(10, 120, (BOXES, 2))
    return np.concatenate([random.integers(1, CLASSES + 1, (BOXES, 1)), low, high], axis=1)


def learned(target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns what a network that has learned a target might say about it."""
    noise = random.normal(0, 1, target[:, : CLASSES + 1].shape)
    return with_probabilities(target, 6 * target[:, : CLASSES + 1] + noise)


def unlearned(target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns random probabilities on a target's anchors."""
    return with_probabilities(target, random.normal(0, 1, target[:, : CLASSES + 1].shape))


def with_probabilities(target: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns a target with the softmax of logits as its classes."""
    output = target.copy()
    powers = np.exp(logits)
    output[:, : CLASSES + 1] = powers / powers.sum(axis=1, keepdims=True)
    return output


def fastest_ms(work: Callable[[], Any]) -> float:
    """Returns the processor milliseconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return round(min(times) * 1e3, 2)


if __name__ == "__main__":
    main()
