"""Question: does the pipeline of a detector keep up with its training, and what does judging cost?

An SSD on 300 x 300 pixels with 8,732 anchors and 20 classes, on a trunk that is lighter than any
of the literature, is trained on images with 20 boxes each, in batches of 8: fed by the pipeline,
which reads every sample from disk, translates, zooms and flips it and makes its target; and fed
with finished batches that lie in memory. Both sides take turns; the ratio is that of the fastest
epochs, as other programs only ever add time. Beside it, samples per second of the pipeline alone,
and of validation with and without the average precision.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detection import CLASSES, FEW, IMAGE, MANY, some_boxes
from benchmarks.feeding import alternating
from benchmarks.quiet import fastest_ratio, median_load, median_ratio, quietest
from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.training.judging import Judge
from dlae_core.training.learning import Learner, learner_of
from dlae_core.training_data import TrainingData, open_training_data
from dlae_core.validation import checked_networks

COUNT, BATCH = 32, 8
GOAL = 0.95


def main() -> None:
    """Measures and prints one line."""
    with tempfile.TemporaryDirectory() as scratch, opened(Path(scratch)) as (learner, data):
        kept = list(data.training.batches(0))
        rounds = alternating(
            memory=lambda _: train(learner, kept),
            pipeline=lambda epoch: train(learner, data.training.batches(epoch)),
            pipeline_alone=lambda epoch: list(data.training.batches(epoch)),
            validation=lambda _: [learner.steps.evaluate(b.images, b.targets) for b in kept],
            judged_validation=lambda _: judge(learner.judge, kept),
        )
    quiet = quietest(rounds, "memory", "pipeline")
    least = {name: min(one[name].seconds for one in rounds) for name in rounds[0]}
    judging = least["judged_validation"] - least["validation"]
    print(
        json.dumps(
            {
                "benchmark": "detector_feeding",
                "anchors": kept[0].targets.shape[1],
                **{f"{name}_per_second": round(COUNT / one, 1) for name, one in least.items()},
                "ratio": round(fastest_ratio(rounds, "memory", "pipeline"), 3),
                "ratio_of_medians": round(median_ratio(quiet, "memory", "pipeline"), 3),
                "foreign_cores": round(median_load(quiet, "memory", "pipeline"), 2),
                "judging_ms_per_image": round(1e3 * judging / COUNT, 2),
                "goal": GOAL,
            }
        )
    )


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Learner, TrainingData]]:
    """Yields a detector that learns, and its data, none of which are kept in memory."""
    random = np.random.default_rng(1)
    images = [(str(n), random.random((*IMAGE, 3), np.float32)) for n in range(COUNT)]
    write_samples(folder / "X.h5", images)
    write_samples(folder / "y.h5", [(str(n), some_boxes(random)) for n in range(COUNT)])
    config = load_config(text(folder)).config
    networks = checked_networks(config)
    with open_training_data(config, networks[0]) as data:
        yield learner_of(config, networks, data), data


def text(folder: Path) -> str:
    """Returns the configuration: hooks of 38, 19, 10, 5, 3 and 1 cells a side."""
    layers = [f"Input:({IMAGE[0]}, {IMAGE[1]}, 3)"]
    for filters in (16, 32, 64):
        layers += [f"Convolution 2D:{filters}:(3, 3):(2, 2)", "Activation:relu"]
    for filters in (64, 64, 64, 64):
        layers += ["Hook connection source", f"Convolution 2D:{filters}:(3, 3):(2, 2)"]
        layers += ["Activation:relu"]
    layers += ["Hook connection source", "Convolution 2D:64:(3, 3):(1, 1):valid"]
    sections = {
        "config_file": {"model_signal": "BBD"},
        "paths": {"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")},
        "augmentation": {"apply_augmentation_switch": True},
        "loss_function": {"loss": "ssd"},
        "training_configurations": {
            "hardware": "cpu",
            "batch_size": BATCH,
            "validation_split": 0,
            "data_memory": 0,
        },
        "bbd_options": {
            "scaling_type": "per predictor layer",
            "scales": [0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05],
            "aspect_ratios_type": "per predictor layer",
            "aspect_ratios": [FEW, MANY, MANY, MANY, FEW, FEW],
            "two_boxes_for_AR1_switch": True,
            "normalize_coordinates_switch": True,
            "number_classes": CLASSES,
        },
        "layers": {"serial_layer_list": [*layers, "Activation:relu", "Hook connection source"]},
    }
    return json.dumps(sections)


def train(learner: Learner, batches: Any) -> None:
    """Trains one epoch."""
    for batch in batches:
        learner.steps.train(batch.images, batch.targets, [1e-4])


def judge(judge: Judge | None, batches: Any) -> None:
    """Validates as training does."""
    assert judge
    for batch in batches:
        judge.evaluate(batch)
    judge.results()


if __name__ == "__main__":
    main()
