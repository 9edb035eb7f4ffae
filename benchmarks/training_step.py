"""Question: how fast is a training step, and what do the settings that should speed it up bring?

One network, the U-Net of five levels from 32 to 512 filters for images of 128 x 128, batch 8, Adam,
two classes, trained on batches that lie in memory: by Keras's `fit`, and by our steps in float32,
in mixed bfloat16, compiled by XLA, and several to a call. A second network, of a few thousand
weights on images of 16 x 16, shows what a call costs. All take turns. Other programs only ever add
time, so speeds are those of the fastest turns; `of_medians` is of the quietest third of the rounds
and `foreign_cores` what other programs used then. The cost of deterministic operations is measured
in processes of their own, as they hold for a whole process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.networks import config_text
from benchmarks.quiet import (
    Timed,
    fastest_ratio,
    median_load,
    median_ratio,
    quietest,
    settle,
    timed,
)
from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.losses import loss_row
from dlae_core.optimization import build_optimizer
from dlae_core.precision import MIXED, SINGLE, calculate_in
from dlae_core.steps import Steps, SupervisedSteps, device
from dlae_core.training.measuring import monitors_of
from dlae_core.validation import checked_networks

BATCH, STEPS, ROUNDS = 8, 2, 9
SMALL_SIDE, SMALL_STEPS = 16, 200
RATE = 1e-4
FP32_GOAL, BF16_GOAL = 1.15, 1.66

Turn = Callable[[], object]


def _twice(filters: int) -> list[str]:
    return [f"Convolution 2D:{filters}:(3, 3)", "Batch normalization", "Activation:relu"] * 2


def unet_layers() -> list[str]:
    """Returns the U-Net that peers were measured with."""
    layers, levels = ["Input:(128, 128, 1)"], (32, 64, 128, 256)
    for filters in levels:
        layers += [*_twice(filters), "Outer skip source", "Max pooling 2D"]
    layers += _twice(512)
    for filters in reversed(levels):
        layers += [f"Transpose convolution 2D:{filters}:(2, 2):(2, 2)", "Outer skip target"]
        layers += _twice(filters)
    return [*layers, "Convolution 2D:2:(1, 1)", "Activation:softmax"]


def small_layers() -> list[str]:
    """Returns a network whose step takes about as long as a call."""
    side = SMALL_SIDE
    middle = ["Convolution 2D:8:(3, 3)", "Activation:relu", "Convolution 2D:2:(1, 1)"]
    return [f"Input:({side}, {side}, 1)", *middle, "Activation:softmax"]


def main() -> None:
    """Measures and prints all speeds."""
    if len(sys.argv) > 1 and sys.argv[1] == "--deterministic":
        _print_step_seconds()
        return
    _print_speeds("unet", unet_layers(), 128, STEPS, (2,))
    _print_speeds("small", small_layers(), SMALL_SIDE, SMALL_STEPS, (4, 20))
    _print_cost_of_determinism()


def _print_speeds(
    name: str, layers: list[str], side: int, steps: int, calls: tuple[int, ...]
) -> None:
    images, targets = batches_of(side, steps)
    turns: dict[str, Turn] = {"fit": fit_turn(layers, images, targets)}
    turns["float32"] = loop_turn(steps_of(layers, SINGLE), images, targets, 1)
    turns["bfloat16"] = loop_turn(steps_of(layers, MIXED), images, targets, 1)
    turns["xla"] = loop_turn(steps_of(layers, SINGLE, jit_compile=True), images, targets, 1)
    for several in calls:
        turns[f"{several}_per_call"] = loop_turn(steps_of(layers, SINGLE), images, targets, several)
    for turn in turns.values():
        turn()
    rounds = [_round(turns, number % 2 == 1) for number in range(ROUNDS)]
    for way in list(turns)[1:]:
        quiet = quietest(rounds, "fit", way)
        goals = {"float32": FP32_GOAL, "bfloat16": BF16_GOAL} if name == "unet" else {}
        print(
            json.dumps(
                {
                    "benchmark": f"training_step_{name}_{way}",
                    "samples_per_second": round(
                        BATCH * steps / min(one[way].seconds for one in rounds), 1
                    ),
                    "over_fit": round(fastest_ratio(rounds, "fit", way), 3),
                    "over_float32": round(fastest_ratio(rounds, "float32", way), 3),
                    "over_fit_of_medians": round(median_ratio(quiet, "fit", way), 3),
                    "foreign_cores": round(median_load(quiet, "fit", way), 2),
                    **({"goal": goals[way]} if way in goals else {}),
                }
            )
        )


def _round(turns: Mapping[str, Turn], backwards: bool) -> dict[str, Timed]:
    settle()
    order = list(turns.items())
    return {name: timed(turn) for name, turn in (reversed(order) if backwards else order)}


def batches_of(side: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns float32 (steps, batch, side, side, 1) images and (..., 2) targets."""
    images = np.random.default_rng(1).random((steps, BATCH, side, side, 1), np.float32)
    return images, np.eye(2, dtype=np.float32)[(images[..., 0] > 0.5).astype(int)]


def _config(layers: list[str]) -> Config:
    sections = json.loads(config_text(Path("nowhere"), 1))
    sections["layers"]["serial_layer_list"] = layers
    return load_config(json.dumps(sections)).config


def steps_of(layers: list[str], precision: str, jit_compile: bool = False) -> Steps:
    """Returns our steps of a network of two classes."""
    config = _config(layers)
    network = checked_networks(config)[0]
    calculate_in(network.model, precision)
    return SupervisedSteps(
        network.model,
        build_optimizer(config.optimizer, RATE),
        loss_row(config).build(config.loss_function, None),
        monitors_of(config, network),
        jit_compile,
    )


def loop_turn(steps: Steps, images: np.ndarray, targets: np.ndarray, several: int) -> Turn:
    """Returns what takes all steps once, some at a time."""
    rates = [[RATE]] * several

    def turn() -> None:
        for start in range(0, len(images), several):
            if several == 1:
                steps.train(images[start], targets[start], [RATE])
            else:
                steps.train_several(
                    *(one[start : start + several] for one in (images, targets)), rates
                )

    return turn


def fit_turn(layers: list[str], images: np.ndarray, targets: np.ndarray) -> Turn:
    """Returns what does the same by Keras."""
    model = checked_networks(_config(layers))[0].model
    model.compile(
        keras.optimizers.Adam(RATE),
        "categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    flat: list[Any] = [one.reshape(-1, *one.shape[2:]) for one in (images, targets)]
    return partial(model.fit, *flat, batch_size=BATCH, epochs=1, verbose=0)


def _print_cost_of_determinism() -> None:
    """Prints how much longer steps take with deterministic operations, process by process."""
    found: dict[str, list[float]] = {"False": [], "True": []}
    command = [sys.executable, "-m", "benchmarks.training_step", "--deterministic"]
    for number in range(3):
        for switch in sorted(found, reverse=number % 2 == 1):
            settle()
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(
                [*command, switch], capture_output=True, check=True, env=environment
            )
            found[switch].append(float(done.stdout))
    cost = min(found["True"]) / min(found["False"])
    print(json.dumps({"benchmark": "deterministic_steps", "times_as_long": round(cost, 3)}))


def _print_step_seconds() -> None:
    device("cpu", deterministic=sys.argv[2] == "True")
    turn = loop_turn(steps_of(unet_layers(), SINGLE), *batches_of(128, STEPS), 1)
    turn()
    print(min(timed(turn).seconds for _ in range(4)) / STEPS)


if __name__ == "__main__":
    main()
