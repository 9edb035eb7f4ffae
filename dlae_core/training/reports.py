"""What the configuration wants to see of a training on the way: TensorBoard's log, pictures."""

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import written_whole
from dlae_core.checkpoints.archive import new_entry
from dlae_core.data.pipeline import Delivers
from dlae_core.families.table import family_of
from dlae_core.steps import AdversarialSteps
from dlae_core.training.boxed_pictures import BoxedPictures
from dlae_core.training.event_log import EventLog
from dlae_core.training.judging import decoder_of
from dlae_core.training.kept import deliver, made_folder
from dlae_core.training.learning import Learner
from dlae_core.training.pictures import Pictures
from dlae_core.training.translated_pictures import TranslatedPictures
from dlae_core.training_data import TrainingData

EXAMPLES_FILE = "examples.zip"


class Reports:
    """Writes a log and pictures after every epoch."""

    def __init__(self, folder: Path, log: EventLog | None, pictures: Pictures | None) -> None:
        """Prepares a folder.

        Args:
            folder: For the pictures.
            log: TensorBoard's; None: none.
            pictures: Draws examples; None: none.

        Raises:
            StorageFailed: The folder cannot be made.
        """
        self._folder = made_folder(folder)
        self._log = log
        self._pictures = pictures

    @classmethod
    def of_config(
        cls, config: Config, folder: Path, learner: Learner, data: TrainingData
    ) -> "Reports":
        """Returns what a configuration asks for.

        Args:
            config: Resolved and checked.
            folder: For log and pictures.
            learner: What is trained.
            data: Holds the examples; without validation data there are none.

        Raises:
            StorageFailed: The folder cannot be made.
            UnusableDataset: A sample cannot be read.
        """
        settings, log, pictures = config.save_configurations, None, None
        if settings.save_tensorboard_switch:
            log = EventLog(folder, learner.networks[0].model, settings.save_tensorboard_frequency)
        if settings.example_images and data.validation:
            pictures = _pictures(config, learner, data.validation)
        return cls(folder, log, pictures)

    def epoch_finished(self, epoch: int, metrics: Mapping[str, float], rate: float) -> None:
        """Takes an epoch, from 1, into account.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        drawn = dict(enumerate(self._pictures.draw() if self._pictures else ()))
        for number, content in drawn.items():
            with written_whole(self._folder / f"epoch-{epoch:04d}-example-{number}.png") as file:
                file.write(content)
        if self._log:
            named = {f"example/{number}": content for number, content in drawn.items()}
            self._log.epoch_finished(epoch, {**metrics, "learning_rate": rate}, named)

    def deliver(self, bundle: Path) -> None:
        """Puts log and pictures into a bundle.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        if self._log:
            deliver([self._log.path], bundle)
        files = self._files()
        if files:
            with written_whole(bundle / EXAMPLES_FILE) as file, zipfile.ZipFile(file, "w") as into:
                for path in files:
                    with new_entry(into, path.name) as entry:
                        entry.write(path.read_bytes())

    def state(self) -> dict[str, Any]:
        """Returns what to restore, as JSON values."""
        return {"log": self._log.state() if self._log else None}

    def restore(self, state: Mapping[str, Any], epochs: int) -> None:
        """Goes on from a state, after some epochs; later pictures are removed."""
        if self._log and state["log"] is not None:
            self._log.restore(state["log"])
        for path in self._files():
            if int(path.name.split("-")[1]) > epochs:
                with suppress(OSError):
                    path.unlink()

    def clear(self) -> None:
        """Removes what another training has left."""
        self.restore({"log": None}, 0)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("epoch-*-example-*.png"))


def _pictures(config: Config, learner: Learner, data: Delivers) -> Pictures | None:
    """Returns who draws the examples of a family; None where there is nothing to see."""
    family, network, predict = family_of(config), learner.networks[0], learner.steps.output
    count = config.save_configurations.example_images
    if family.expectation(config, network).boxes:
        decoder = decoder_of(config, network)
        return BoxedPictures(data, count, predict, decoder, family.classes(config, network))
    if not family.per_pixel:
        return None
    if isinstance(learner.steps, AdversarialSteps):
        return TranslatedPictures(data, count, learner.steps.generators)
    is_value = family.target_kind(config) == "values"
    return Pictures(data, count, 0 if is_value else network.output_shape[-1], predict)
