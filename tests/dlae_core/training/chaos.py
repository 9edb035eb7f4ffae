"""`python -m tests.dlae_core.training.chaos FOLDER KILLS SEED`: a training, killed over and over.

Trains once undisturbed, and once with as many kills (SIGKILL) at random instants, and compares
what is left, byte by byte. Children are forked from a process that has loaded the engine but not
used it: a start then takes a second, not ten.
"""

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import keras

from dlae_core.config import load_config
from dlae_core.events import Event, StepFinished
from dlae_core.training import saving, train
from tests.sessions import config_text, write_bright_images

# Everything that has a state: random layers, moving averages, moments, plateau, best weights.
LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:8:(3, 3)",
    # Whose averages soon follow the data.
    "Batch normalization:0.1:0.001",
    "Activation:relu",
    "Dropout:0.2",
    "Gaussian noise:0.1",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]
EPOCHS = 60


def text(folder: Path) -> str:
    """Returns a configuration in which everything changes from step to step."""
    return config_text(
        folder,
        layers__serial_layer_list=LAYERS,
        training_configurations__epochs=EPOCHS,
        training_configurations__restore_best_switch=True,
        training_configurations__recovery_period=1,
        augmentation__apply_augmentation_switch=True,
        augmentation__horizontal_flip_switch=True,
        augmentation__rotation_range=10,
        augmentation__rounds=4,
        learning_rate_schedule__decay_on_plateau_switch=True,
        learning_rate_schedule__decay_on_plateau_patience=2,
        learning_rate_schedule__learning_rate_decay_factor=0.001,
        monitors__mse_switch=True,
        save_configurations__save_checkpoints_switch=True,
        save_configurations__save_checkpoints_path="best.keras",
        save_configurations__save_checkpoints_frequency=3,
        save_configurations__save_tensorboard_switch=True,
        save_configurations__save_tensorboard_path="logs",
        save_configurations__example_images=1,
    )


def attempt(configuration: str, workspace: Path, started: Path) -> int:
    """Trains in a child; returns its process number. `started` is there after the first step."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:

        def emit(event: Event) -> None:
            if isinstance(event, StepFinished) and not started.exists():
                started.touch()

        train(load_config(configuration).config, workspace, emit, lambda: False)
        status = 0
    finally:
        os._exit(status)


def killed(configuration: str, workspace: Path, started: Path, delay: float) -> bool:
    """Trains and kills after a while; returns whether training was over before.

    The while begins with the first step; where it is negative, its length begins with the start.
    """
    started.unlink(missing_ok=True)
    child = attempt(configuration, workspace, started)
    deadline = time.monotonic() - delay if delay < 0 else None
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return True
        if deadline is None and started.exists():
            deadline = time.monotonic() + delay
        if deadline is not None and time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.001)


def left(workspace: Path) -> dict[str, str]:
    """Returns the SHA-256 of the files of a bundle.

    Without the manifest, which has a date, and what other libraries make of the network.
    """
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((workspace / "bundle").iterdir())
        if path.suffix in (".keras", ".csv", ".json", ".zip") and path.name != "manifest.json"
    }


def main() -> int:
    """Compares an undisturbed training with one that is killed; returns the exit code."""
    # It takes longer than the training.
    saving.export_engines = lambda *arguments: {}  # type: ignore[attr-defined]
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    write_bright_images(folder)
    configuration = text(folder)
    start = time.monotonic()
    assert killed(configuration, folder / "whole", folder / "started", 1e9)
    whole = time.time() - (folder / "started").stat().st_mtime
    draws = random.Random(seed)
    done = 0
    for _ in range(kills):
        delay = draws.uniform(-0.2, 1.8) * whole / kills
        done += not killed(configuration, folder / "torn", folder / "started", delay)
    assert killed(configuration, folder / "torn", folder / "started", 1e9)
    expected, found = left(folder / "whole"), left(folder / "torn")
    print(f"{done} kills, {whole:.1f} s undisturbed, {time.monotonic() - start:.1f} s in all")  # noqa: T201
    print(expected, found, sep="\n")  # noqa: T201
    return 0 if expected == found and done else 1


if __name__ == "__main__":
    assert keras.backend.backend() == "tensorflow"
    sys.exit(main())
