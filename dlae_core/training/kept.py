"""The checkpoints that the configuration asks for: networks with the state of their training."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras

from dlae.v1.config_pb2 import SaveConfigurations
from dlae_core.checkpoints.archive import Archive
from dlae_core.checkpoints.model_file import write_checkpoint
from dlae_core.errors import StorageFailed
from dlae_core.training.best import Best, watched


class KeptCheckpoints:
    """Writes a checkpoint every few epochs, where it is better than all that were due before.

    All are kept where the configured file name holds the epoch or a metric, else the best.

    Differs: without validation data DLAE 1.0 kept none (S4).
    """

    def __init__(self, settings: SaveConfigurations, folder: Path, model: keras.Model) -> None:
        """Prepares a folder.

        Raises:
            StorageFailed: The folder cannot be made.
        """
        self._all = "{" in settings.save_checkpoints_path
        self._frequency = settings.save_checkpoints_frequency
        self._folder = made_folder(folder)
        self._model = model
        self._best = Best()
        self._names: list[str] = []

    def epoch_finished(
        self, epoch: int, metrics: Mapping[str, float], state: Callable[[], Archive]
    ) -> None:
        """Takes an epoch, from 1, into account.

        Args:
            epoch: From 1.
            metrics: Of the epoch.
            state: Returns the state of the training.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        if epoch % self._frequency or not self._best.improves(epoch, watched(metrics)):
            return
        name = f"checkpoint-{epoch:04d}.keras"
        self._names = [*(self._names if self._all else ()), name]
        write_checkpoint(self._folder / name, self._model, state())

    def tidy(self) -> None:
        """Removes what is not kept; to be called when the state that says so is on disk."""
        for path in self._folder.iterdir():
            if path.name not in self._names:
                with suppress(OSError):
                    path.unlink()

    def deliver(self, bundle: Path) -> None:
        """Puts what is kept into a bundle.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        deliver([self._folder / name for name in self._names], bundle)

    def state(self) -> dict[str, Any]:
        """Returns what to restore, as JSON values."""
        return {"best": self._best.state(), "names": self._names}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state; what has been written since is not kept."""
        self._best.restore(state["best"])
        self._names = [name for name in state["names"] if (self._folder / name).is_file()]
        self.tidy()


def made_folder(path: Path) -> Path:
    """Returns a folder, which is made where there is none.

    Raises:
        StorageFailed: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"cannot make {path.name}: {error.strerror}") from error
    return path


def deliver(files: Sequence[Path], bundle: Path) -> None:
    """Puts files into a bundle as well; they stay where they are until the bundle is complete.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    for path in files:
        try:
            # Not every file system has links.
            try:
                os.link(path, bundle / path.name)
            except OSError:
                shutil.copyfile(path, bundle / path.name)
        except OSError as error:
            raise StorageFailed(f"cannot write {path.name}: {error.strerror}") from error
