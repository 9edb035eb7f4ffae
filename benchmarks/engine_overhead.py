"""Question: what does DLAE's training cost over a bare Keras `fit` on the same arrays in memory?

Both train the same U-Net on the same 64 images, batch 8, Adam, cross-entropy and accuracy, in one
process, alternating. DLAE reads, checks and prepares its data from HDF5 and reports every step;
`fit` gets finished arrays. Time is that of whole epochs after the first, which compiles. Other
programs only ever add time, so the ratio is that of the fastest epochs; `spread`, the slowest epoch
over the fastest, says how disturbed the run was, and how little the medians then mean.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from benchmarks.networks import CLASSES, config_text, write_data
from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.events import EpochFinished, Event
from dlae_core.training import train
from dlae_core.validation import checked_network

IMAGES = 64
EPOCHS = 4
ROUNDS = 6
GOAL = 0.95


def main() -> None:
    """Measures and prints the ratio of throughputs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images, masks = write_data(folder, IMAGES)
        targets = np.eye(CLASSES, dtype="float32")[masks[..., 0]]
        config = load_config(config_text(folder, EPOCHS)).config
        bare: list[float] = []
        ours: list[float] = []
        for number in range(ROUNDS):
            turns = [
                lambda: bare.extend(fit_seconds(config, images, targets)),
                lambda: ours.extend(train_seconds(config, folder / "work")),
            ]
            for turn in turns if number % 2 == 0 else reversed(turns):
                turn()
    print(
        json.dumps(
            {
                "benchmark": "engine_overhead",
                "samples_per_second": round(IMAGES / min(ours), 2),
                "bare_fit_samples_per_second": round(IMAGES / min(bare), 2),
                "ratio": round(min(bare) / min(ours), 3),
                "ratio_of_medians": round(statistics.median(bare) / statistics.median(ours), 3),
                "spread": round(max(max(times) / min(times) for times in (bare, ours)), 2),
                "goal": GOAL,
            }
        )
    )


def train_seconds(config: Config, workspace: Path) -> list[float]:
    """Returns the seconds of each epoch of DLAE's training but the first."""
    events: list[Event] = []
    train(config, workspace, events.append, lambda: False)
    return [event.seconds for event in events if isinstance(event, EpochFinished)][1:]


def fit_seconds(config: Config, images: np.ndarray, targets: np.ndarray) -> list[float]:
    """Returns the seconds of each epoch of a bare `fit` but the first."""
    model = checked_network(config).model
    model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy", metrics=["accuracy"])
    times: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            times.append(time.monotonic() - self.start)

    model.fit(images, targets, batch_size=8, epochs=EPOCHS, verbose=0, callbacks=[Clock()])
    return times[1:]


if __name__ == "__main__":
    main()
