"""Question: what does DLAE's training cost over the bare compiled steps, and over Keras's `fit`?

All train the same U-Net on the same 64 images, batch 8, Adam, cross-entropy and accuracy, in one
process, taking turns. DLAE reads, checks and prepares its data from HDF5, reports every step and
writes checkpoints; the bare steps and `fit` get finished arrays. Time is that of whole epochs after
the first, which compiles. Other programs only ever add time, so ratios are those of the fastest
epochs; `spread`, the slowest epoch over the fastest, says how disturbed the run was, and how little
the medians then mean. Beside them: how long a checkpoint of this network takes, and its size.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np

from benchmarks.networks import CLASSES, config_text, write_data
from dlae.v1.config_pb2 import Config
from dlae_core.checkpoints.archive import read_archive
from dlae_core.checkpoints.recovery import Position, Recovery
from dlae_core.config import load_config
from dlae_core.events import EpochFinished, Event
from dlae_core.losses import loss_row
from dlae_core.optimization import build_optimizer
from dlae_core.steps import SupervisedSteps
from dlae_core.training import train
from dlae_core.training.measuring import monitors_of
from dlae_core.validation import checked_networks

IMAGES = 64
BATCH = 8
EPOCHS = 4
ROUNDS = 6
GOAL = 0.97


def main() -> None:
    """Measures and prints ratios of throughputs, and what a checkpoint costs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images, masks = write_data(folder, IMAGES)
        targets = np.eye(CLASSES, dtype="float32")[masks[..., 0]]
        config = load_config(config_text(folder, EPOCHS)).config
        times: dict[str, list[float]] = {"dlae": [], "bare": [], "fit": []}
        for number in range(ROUNDS):
            turns: dict[str, Callable[[], list[float]]] = {
                "dlae": partial(train_seconds, config, folder / f"work{number}"),
                "bare": partial(bare_seconds, config, images, targets),
                "fit": partial(fit_seconds, config, images, targets),
            }
            for name in sorted(turns, reverse=number % 2 == 1):
                times[name] += turns[name]()
        for peer in ("bare", "fit"):
            print(json.dumps(_comparison(times["dlae"], times[peer], peer)))
        print(json.dumps(_checkpoint(folder / "work0")))


def _comparison(ours: list[float], theirs: list[float], peer: str) -> dict[str, object]:
    medians = statistics.median(theirs) / statistics.median(ours)
    return {
        "benchmark": f"engine_over_{peer}",
        "samples_per_second": round(IMAGES / min(ours), 2),
        f"{peer}_samples_per_second": round(IMAGES / min(theirs), 2),
        "ratio": round(min(theirs) / min(ours), 3),
        "ratio_of_medians": round(medians, 3),
        "spread": round(max(max(times) / min(times) for times in (ours, theirs)), 2),
        **({"goal": GOAL} if peer == "bare" else {}),
    }


def _checkpoint(workspace: Path) -> dict[str, object]:
    newest = max((workspace / "recovery").iterdir())
    archive = read_archive(newest)
    recovery = Recovery(workspace / "again", 0)
    seconds = []
    for number in range(5):
        recovery.write(Position(number), archive)
        seconds.append(recovery.seconds)
    size = newest.stat().st_size
    return {
        "benchmark": "checkpoint",
        "milliseconds": round(1e3 * min(seconds), 1),
        "megabytes": round(size / 1e6, 2),
        "megabytes_per_second": round(size / 1e6 / min(seconds)),
    }


def train_seconds(config: Config, workspace: Path) -> list[float]:
    """Returns the seconds of each epoch of DLAE's training but the first."""
    events: list[Event] = []
    train(config, workspace, events.append, lambda: False)
    return [event.seconds for event in events if isinstance(event, EpochFinished)][1:]


def bare_seconds(config: Config, images: np.ndarray, targets: np.ndarray) -> list[float]:
    """Returns the seconds of each epoch of the same steps, but the first."""
    network = checked_networks(config)[0]
    rate = config.learning_rate_schedule.learning_rate
    steps = SupervisedSteps(
        network.model,
        build_optimizer(config.optimizer, rate),
        loss_row(config).build(config.loss_function, None),
        monitors_of(config, network),
    )
    times = []
    for _ in range(EPOCHS):
        start = time.monotonic()
        for first in range(0, IMAGES, BATCH):
            steps.train(images[first : first + BATCH], targets[first : first + BATCH], [rate])
        times.append(time.monotonic() - start)
    return times[1:]


def fit_seconds(config: Config, images: np.ndarray, targets: np.ndarray) -> list[float]:
    """Returns the seconds of each epoch of a bare `fit` but the first."""
    model = checked_networks(config)[0].model
    model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy", metrics=["accuracy"])
    times: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            times.append(time.monotonic() - self.start)

    model.fit(images, targets, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[Clock()])
    return times[1:]


if __name__ == "__main__":
    main()
