"""Question: how near do the estimates of a validation come to what a training then takes?

Each network is trained for a few steps in a process of its own. Memory is the largest resident set
while it trains less that before, with Keras loaded and in use. The time is that of the fastest
step: `step_ms` on the clock, `busy_ms` as the processor worked for it, over the number of cores.
The estimate means the latter, which other programs hardly change.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import unet_layers
from dlae_core.data.source import write_samples

STEPS_PER_ROUND, ROUNDS = 2, 5
MEMORY_GOAL, TIME_GOAL = 1.2, 1.5
CLASSES = 2


def _unet_3d() -> list[str]:
    layers = ["Input:(32, 32, 32, 1)"]
    for filters in (16, 32):
        layers += [*_block_3d(filters), *_block_3d(filters), "Outer skip source", "Max pooling 3D"]
    layers += _block_3d(64)
    for filters in (32, 16):
        layers += [f"Resize convolution 3D:{filters}", "Activation:relu", "Outer skip target"]
        layers += _block_3d(filters)
    return [*layers, f"Convolution 3D:{CLASSES}:(1, 1, 1)", "Activation:softmax"]


def _block_3d(filters: int) -> list[str]:
    return [f"Convolution 3D:{filters}:(3, 3, 3)", "Batch normalization", "Activation:relu"]


def _cnn(side: int, filters: Sequence[int], dense: int) -> list[str]:
    layers = [f"Input:({side}, {side}, 1)"]
    for count in filters:
        layers += [f"Convolution 2D:{count}:(3, 3)", "Batch normalization", "Activation:relu"]
        layers += ["Max pooling 2D"]
    layers += ["Flatten", f"Dense:{dense}", "Activation:relu", "Dropout:0.5"]
    return [*layers, f"Dense:{CLASSES}", "Activation:softmax"]


def _backbone(name: str, side: int) -> list[str]:
    layers = [f"Input:({side}, {side}, 1)", name, "Global average pooling 2D"]
    return [*layers, f"Dense:{CLASSES}", "Activation:softmax"]


@dataclass(frozen=True)
class Case:
    """A network and how it is trained."""

    layers: Callable[[], list[str]]
    batch: int
    optimizer: str = "Adam"


CASES: dict[str, Case] = {
    "unet_2d_batch_2": Case(unet_layers, 2),
    "unet_2d_batch_8": Case(unet_layers, 8),
    "unet_2d_batch_16": Case(unet_layers, 16),
    "unet_3d_batch_2": Case(_unet_3d, 2),
    "unet_3d_batch_8": Case(_unet_3d, 8),
    "cnn_batch_32": Case(lambda: _cnn(64, (16, 32, 64), 64), 32),
    "cnn_batch_128": Case(lambda: _cnn(64, (16, 32, 64), 64), 128),
    "cnn_wide": Case(lambda: _cnn(64, (32, 64), 1024), 16),
    "cnn_wide_sgd": Case(lambda: _cnn(64, (32, 64), 1024), 16, "SGD"),
    "densenet121_batch_4": Case(lambda: _backbone("DenseNet121", 64), 4),
    "densenet121_batch_16": Case(lambda: _backbone("DenseNet121", 64), 16),
    "resnet50": Case(lambda: _backbone("ResNet50", 96), 8),
    "mobilenet": Case(lambda: _backbone("MobileNet", 128), 16),
}


def main() -> None:
    """Measures every network in a process of its own and prints both ratios."""
    for name in CASES:
        command = [sys.executable, "-m", "benchmarks.cost_estimate", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(done.stdout.splitlines()[-1])


def measure(name: str) -> dict[str, object]:
    """Trains a case in this process, estimates it, and returns both side by side."""
    import keras  # noqa: PLC0415 - TensorFlow only in the children

    from dlae_core.config import load_config  # noqa: PLC0415
    from dlae_core.events import StepFinished  # noqa: PLC0415
    from dlae_core.steps import device  # noqa: PLC0415
    from dlae_core.training import train  # noqa: PLC0415
    from dlae_core.validation import validate  # noqa: PLC0415

    clocks: list[tuple[float, float]] = []

    def emit(event: object) -> None:
        if isinstance(event, StepFinished):
            clocks.append((time.perf_counter(), time.process_time()))

    device("cpu")
    with tempfile.TemporaryDirectory() as scratch:
        config = load_config(_config_text(CASES[name], Path(scratch))).config
        keras.ops.matmul(keras.ops.ones((2, 2)), keras.ops.ones((2, 2)))
        before = _resident_bytes("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        train(config, Path(scratch) / "work", emit, lambda: False)
        memory = _resident_bytes("VmHWM") - before
        cost = validate(config)
    # The first step compiles.
    steps = [np.subtract(two, one) for one, two in itertools.pairwise(clocks)]
    wall, worked = (min(float(step[place]) for step in steps) for place in (0, 1))
    busy = worked / len(os.sched_getaffinity(0))
    return {
        "benchmark": f"cost_estimate_{name}",
        "memory_mib": round(memory / 2**20),
        "estimated_mib": round(cost.memory_bytes / 2**20),
        "memory_ratio": round(cost.memory_bytes / memory, 2),
        "memory_goal": MEMORY_GOAL,
        "step_ms": round(1e3 * wall, 1),
        "busy_ms": round(1e3 * busy, 1),
        "estimated_ms": round(1e3 * cost.seconds_per_step, 1),
        "time_ratio": round(cost.seconds_per_step / busy, 2),
        "time_goal": TIME_GOAL,
    }


def _resident_bytes(row: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(row))


def _config_text(case: Case, folder: Path) -> str:
    """Writes random data for a case; returns its configuration."""
    layers = case.layers()
    shape = tuple(int(length) for length in layers[0].split("(")[1].rstrip(")").split(","))
    per_pixel = layers[-2].startswith("Convolution")
    random = np.random.default_rng(1)
    count = STEPS_PER_ROUND * case.batch
    images = [random.random(shape, np.float32) for _ in range(count)]
    target = shape[:-1] if per_pixel else ()
    targets: list[Any] = [random.integers(0, CLASSES, target) for _ in range(count)]
    # Every class has to be there.
    targets[:CLASSES] = [np.full(target, number) for number in range(CLASSES)]
    for name, arrays in (("X.h5", images), ("y.h5", targets)):
        samples = [(str(number), np.asarray(one)) for number, one in enumerate(arrays)]
        write_samples(folder / name, samples)
    sections = {
        "config_file": {"model_signal": "FCN" if per_pixel else "CNN"},
        "paths": {"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")},
        "preprocessing": {
            "categorical_switch": True,
            "categories": CLASSES,
            "normalization_type": "none",
            "image_context": "2D" if len(shape) == 3 else "3D",
        },
        "augmentation": {"rounds": ROUNDS},
        "loss_function": {"loss": "categorical_crossentropy"},
        "optimizer": {"optimizer": case.optimizer},
        "training_configurations": {"hardware": "cpu", "batch_size": case.batch, "epochs": 1},
        "layers": {"serial_layer_list": layers},
    }
    return json.dumps(sections)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
