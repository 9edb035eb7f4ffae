"""Workers without TensorFlow, and a server that uses them.

`python fakes.py server DATA_DIR DATA_ROOT` serves; `task` and `model BUNDLE DESCRIPTOR` are its
workers: the real ones around a fake engine. What a training does stands in the file `behaviour`
beside its data: `succeed`, `wait` (after the first epoch), `dawdle`, `fail`, `break`, `die`,
`chatter`.
"""

import asyncio
import json
import logging
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core import prediction
from dlae_core.bundle import Bundle, write_manifest
from dlae_core.config import read_config, resolve_config
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.errors import InvalidImage, TrainingCancelled, TrainingDiverged
from dlae_core.events import (
    EpochFinished,
    InferenceStarted,
    Progress,
    SamplesPredicted,
    StepFinished,
    TrainingStarted,
)
from dlae_core.prediction.options import Options, options_of
from dlae_server.app import Commands
from dlae_server.confinement.rights import confine
from dlae_server.jobs import worker
from dlae_server.main import serve_until_signal
from dlae_server.settings import Settings

EPOCHS, STEPS, BATCH = 2, 3, 4
SAMPLES = 10
PREDICTIONS = bytes(range(250)) * 9000
DEADLY, SLOW = 666, 777

Numbers = NDArray[np.generic]


def fake_train(task: dict[str, Any], channel: worker.Channel) -> dict[str, Any]:
    """Tells of a training of 2 epochs of 3 steps of 4 samples; behaves as the file says."""
    signpost = Path(json.loads(task["config"])["paths"]["train_X"]).parent / "behaviour"
    channel.emit(TrainingStarted(EPOCHS, STEPS, 12, 4, 7, "cpu"))
    for epoch in range(1, EPOCHS + 1):
        for step in range(1, STEPS + 1):
            done = (epoch - 1) * STEPS + step
            progress = Progress(epoch, EPOCHS, step, STEPS)
            channel.emit(StepFinished(progress, {"loss": 1 / done}, done, done * BATCH))
        metrics = {"loss": 1 / epoch, "val_loss": 2 / epoch}
        channel.emit(EpochFinished(progress, metrics, 0.01, 0.5))
        BEHAVIOURS[signpost.read_text()](signpost, channel)
    bundle = Path(task["workspace"]) / "bundle"
    # An attempt that was killed may have left one, as in the real training.
    shutil.rmtree(bundle, ignore_errors=True)
    bundle.mkdir(parents=True)
    write_bundle(bundle, task["config"])
    return {"bundle": str(bundle)}


def fake_infer(task: dict[str, Any], channel: worker.Channel) -> dict[str, Any]:
    """Tells of 10 samples, behaves as the file says after the fifth, writes a few MB."""
    signpost = Path(json.loads(task["config"])["paths"]["test_X"]).parent / "behaviour"
    channel.emit(InferenceStarted(SAMPLES, "FCN", "openvino"))
    channel.emit(SamplesPredicted(SAMPLES // 2, SAMPLES))
    BEHAVIOURS[signpost.read_text()](signpost, channel)
    channel.emit(SamplesPredicted(SAMPLES, SAMPLES))
    path = Path(task["workspace"]) / "results" / "predictions.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PREDICTIONS)
    return {"file": str(path)}


def write_bundle(bundle: Path, config: str) -> None:
    """Writes a bundle whose network is a few bytes."""
    (bundle / "model.keras").write_bytes(bytes(range(256)) * 5000)
    (bundle / "config.json").write_text(config)
    (bundle / "history.csv").write_text("")
    facts = {
        "dlae_version": "2",
        "keras_version": "3",
        "create_time": "2026-01-01T00:00:00+00:00",
        "family": "FCN",
        "input_shape": (8, 8, 1),
        "output_shape": (8, 8, 2),
        "classes": 2,
        "parameters": 7,
        "metrics": {"loss": 0.5, "val_loss": 1.0},
        "seed": 1,
        "preprocessing": {},
        "data": {},
    }
    write_manifest(bundle, facts)


def _wait(signpost: Path, channel: worker.Channel) -> None:
    while signpost.read_text() == "wait":
        if channel.cancelled.is_set():
            raise TrainingCancelled("stopped")
        time.sleep(0.01)


def _dawdle(signpost: Path, channel: worker.Channel) -> None:
    for _ in range(random.randrange(30)):
        if channel.cancelled.is_set():
            raise TrainingCancelled("stopped")
        time.sleep(0.01)


def _fail(signpost: Path, channel: worker.Channel) -> None:
    raise TrainingDiverged("the loss is not a number; lower the learning rate")


def _break(signpost: Path, channel: worker.Channel) -> None:
    raise KeyError("a fault of ours")


def _die(signpost: Path, channel: worker.Channel) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _chatter(signpost: Path, channel: worker.Channel) -> None:
    print("a library that prints", flush=True)  # noqa: T201 - what is tested


def _succeed(signpost: Path, channel: worker.Channel) -> None:
    pass


BEHAVIOURS = {
    "succeed": _succeed,
    "wait": _wait,
    "dawdle": _dawdle,
    "fail": _fail,
    "break": _break,
    "die": _die,
    "chatter": _chatter,
}


def fake_validate(task: dict[str, Any], channel: worker.Channel) -> dict[str, Any]:
    """Reports two layers, a cost and a warning."""
    size = {"output_shape": [2], "parameters": 7}
    layers = [
        {"item": 0, "type": "Dense", "inputs": [], **size},
        {"item": 1, "type": "Activation", "inputs": [0], **size},
    ]
    graph = {
        "name": "model",
        "output_shape": [2],
        "parameters": 7,
        "trainable_parameters": 5,
        "layers": layers,
    }
    warning = {"path": "paths.train_X", "reason": "FEW_SAMPLES", "message": "few samples"}
    cost = {"memory_bytes": 1 << 33, "seconds_per_step": 0.25}
    return {"violations": [], "warnings": [warning], "graphs": [graph], **cost}


class FakePredictor:
    """Doubles its input; dies or dawdles where an image says so."""

    engine = "fake"

    def __init__(self, bundle: Path, engine: str | None, threads: int | None) -> None:
        self.manifest = Bundle.open(bundle).manifest
        config = resolve_config(read_config((bundle / "config.json").read_text()).config)
        self.options = options_of(config)
        self.preprocessing = Preprocessing.from_config(config, Statistics())
        self.outputs = "boxes" if self.manifest.family == "BBD" else "classes"
        self.per_pixel = True

    def warm_up(self) -> None:
        """Does nothing."""

    def boxes(self, images: Numbers, options: Options) -> list[NDArray[np.float32]]:
        """Refuses."""
        raise InvalidImage("expected a detector")

    def predict(self, images: Numbers, labels: bool, options: Options) -> Numbers:
        """Returns twice the images as float32; or as uint8 labels, that are 1 with a threshold."""
        values = images.astype(np.float32)
        if np.isnan(values).any():
            raise InvalidImage("expected finite intensities, got NaN")
        if (values == DEADLY).any():
            os.kill(os.getpid(), signal.SIGKILL)
        if (values == SLOW).any():
            time.sleep(0.4)
        number = 0 if options.threshold is None else 1
        return np.full(images.shape[:-1], number, np.uint8) if labels else values * 2


def main() -> None:
    """Runs the program that the first argument names."""
    program = sys.argv.pop(1)
    if program == "task":
        confine("jobs", True)
        worker.TASKS.update({"train": fake_train, "infer": fake_infer, "validate": fake_validate})
        worker.prepare = lambda: None
        worker.main()
    elif program == "model":
        engine: Any = prediction
        engine.Predictor = FakePredictor
        confine("", False)
        from dlae_server.serving import worker as serving

        serving.main()
    else:
        logging.basicConfig(level=logging.INFO)
        listen = os.environ.get("DLAE_FAKE_LISTEN", "127.0.0.1:0")
        settings = Settings(listen, Path(sys.argv[1]), (Path(sys.argv[2]),), 0)
        settings = replace(settings, pending_predictions=3, queued_jobs=3, heartbeat_seconds=0.3)
        settings = replace(settings, rest_address="127.0.0.1:0", rest_body_seconds=1.0)
        program = (sys.executable, __file__)
        commands = Commands(task=(*program, "task"), model=(*program, "model"))
        asyncio.run(serve_until_signal(settings, commands))


if __name__ == "__main__":
    main()
