"""One training from its first step, or from a checkpoint, to its last."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlae.v1.config_pb2 import Config
from dlae_core.checkpoints.archive import Archive
from dlae_core.checkpoints.recovery import Position, Recovery
from dlae_core.data.pipeline import Batch
from dlae_core.errors import StorageFailed, TrainingCancelled, TrainingDiverged
from dlae_core.events import Emit, EpochFinished, Progress, Resumed, StepFinished, Warned
from dlae_core.steps import MODEL, Float64
from dlae_core.training.course import Arrays, Carried, Course, Metrics
from dlae_core.training.demands import check_names, check_room
from dlae_core.training.grouping import grouped
from dlae_core.training.learning import Learner
from dlae_core.training.reports import Reports
from dlae_core.training.sums import Sums
from dlae_core.training_data import TrainingData

Cancelled = Callable[[], bool]
Rates = Sequence[float]

START = Position()
# Samples that an error names at most.
NAMED = 8


@dataclass(frozen=True)
class Caller:
    """Who asked for the training.

    Attributes:
        emit: Is handed every event, in order.
        cancelled: Is asked before every step whether to stop.
    """

    emit: Emit
    cancelled: Cancelled


class Run:
    """Trains a network epoch by epoch.

    All that changes on the way is in `state`: whoever restores it goes on as if nothing had been.

    Attributes:
        position: How far training is.
        epochs: Epochs configured.
        about: What tells this training from others; part of every state.
        recovery: Holds the checkpoints to go on from.
    """

    def __init__(
        self, config: Config, learner: Learner, data: TrainingData, workspace: Path, caller: Caller
    ) -> None:
        """Prepares the first step.

        Args:
            config: Resolved and checked.
            learner: To be trained.
            data: To train on.
            workspace: Holds the folder `bundle`, and what else training writes.
            caller: Who asked for it.

        Raises:
            InvalidConfig: Files are to be named after metrics that there will not be.
            StorageFailed: The disk is full or cannot be written.
        """
        settings = config.training_configurations
        self._data = data
        self._emit, self._cancelled = caller.emit, caller.cancelled
        self.epochs = settings.epochs
        self._steps_per_call = settings.steps_per_call
        self.position, self._written = START, START
        self._seconds = 0.0
        self.about: dict[str, Any] = {}
        check_names(config, learner, data.validation is not None)
        self._sums = Sums(learner.monitors)
        self._steps, self._judge = learner.steps, learner.judge
        check_room(workspace, sum(array.nbytes for array in self._steps.arrays().values()))
        reports = Reports.of_config(config, workspace / "reports", learner, data)
        self._course = Course(config, learner, workspace, reports)
        self.recovery = Recovery(workspace / "recovery", settings.recovery_period)

    def fit(self) -> Metrics:
        """Trains to the end; returns the metrics of the network that is left.

        Raises:
            TrainingDiverged: Loss or weights are no longer finite numbers.
            TrainingCancelled: On request; a checkpoint is written before.
            DeviceOutOfMemory: The network and one batch do not fit the device.
            StorageFailed: The disk is full or cannot be written.
        """
        while self.position.epoch < self.epochs and not self._course.ended:
            start = time.monotonic()
            self._train_epoch()
            metrics = self._sums.metrics()
            metrics |= {f"val_{name}": value for name, value in self._validate().items()}
            self._close_epoch(metrics, time.monotonic() - start)
        self._write_checkpoint()
        return self._course.end()

    def deliver(self, bundle: Path) -> None:
        """Puts into a bundle what the configuration wants to have beside the model.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        self._course.deliver(bundle)

    def clear(self) -> None:
        """Removes what another training has left in the workspace."""
        self.recovery.clear()
        self._course.clear()

    def state(self) -> Archive:
        """Returns all that the rest of the training depends on, but its settings and data."""
        course = self._course.state()
        place: dict[str, Any] = {"position": asdict(self.position), "count": self._sums.count}
        arrays = {**self._steps.arrays(), "sums": self._sums.total, **course.arrays}
        place["variables"] = self._steps.paths()
        return Archive({**self.about, **place, **course.facts}, arrays)

    def fits(self, archive: Archive, optimizer: bool = False) -> bool:
        """Returns whether a state is of the same network; or of the same network and optimizer."""
        same = archive.facts["variables"] == self._steps.paths()
        return same and self._steps.misfit(archive.arrays, optimizer) is None

    def restore(self, archive: Archive, carried: Carried | None = None) -> None:
        """Goes on from a state.

        Args:
            archive: As `state` returned it.
            carried: What of it to go on from; None: all.

        Raises:
            IncompatibleArtifact: It is of another network.
            StorageFailed: The disk is full or cannot be written.
        """
        carried = carried or Carried()
        self._steps.assign(archive.arrays, carried.optimizer)
        self.position = Position(**archive.facts["position"])
        self._seconds = archive.facts.get("seconds", 0.0)
        self._course.restore(archive, carried)
        if carried.within_epoch:
            self._sums.restore(archive.arrays["sums"], archive.facts["count"])
        else:
            self.position = replace(self.position, step=0)

    def tell_resumed(self) -> None:
        """Tells from where training goes on, and the last epoch before."""
        done = self._written = self.position
        self._emit(Resumed(self._progress(), done.steps, done.samples))
        if self._course.last and not done.step:
            self._tell_epoch()

    def _train_epoch(self) -> None:
        epoch = self.position.epoch
        batches = self._data.training.batches(epoch, self.position.step)
        for group in grouped(batches, self._steps_per_call):
            if self._cancelled():
                self._write_checkpoint()
                raise TrainingCancelled("training was stopped on request")
            done = self.position.steps
            rates = [self._course.rates(done + number, epoch) for number in range(len(group))]
            for batch, rate, sums in zip(group, rates, self._train(group, rates), strict=True):
                self._take(batch, rate[0], sums)
            if self.recovery.is_due(within_epoch=True):
                self._write_checkpoint()

    def _train(self, group: Sequence[Batch], rates: Sequence[Rates]) -> Iterable[Float64]:
        """Updates the weights by some batches; returns loss and sums of each."""
        if len(group) == 1:
            return [self._steps.train(group[0].images, group[0].targets, rates[0])]
        images = np.stack([batch.images for batch in group])
        targets = np.stack([batch.targets for batch in group])
        return self._steps.train_several(images, targets, rates)

    def _take(self, batch: Batch, rate: float, sums: Float64) -> None:
        """Takes a step into account and tells of it."""
        step = self.position.step
        self._advance(batch)
        if not np.isfinite(sums[0]):
            names = self._data.training.names(self.position.epoch, step)
            raise self._divergence("the loss is not a finite number", rate, names)
        self._sums.add(sums, batch.count)
        steps, samples = self.position.steps, self.position.samples
        self._emit(StepFinished(self._progress(), self._sums.metrics(), steps, samples))

    def _advance(self, batch: Batch) -> None:
        done = self.position
        self.position = replace(
            done, step=done.step + 1, steps=done.steps + 1, samples=done.samples + batch.count
        )

    def _validate(self) -> Metrics:
        if self._data.validation is None:
            return {}
        sums, judge = Sums(self._sums.monitors), self._judge
        for batch in self._data.validation.batches(0):
            if judge:
                sums.add(judge.evaluate(batch), batch.count)
            else:
                sums.add(self._steps.evaluate(batch.images, batch.targets), batch.count)
        return sums.metrics() | (judge.results() if judge else {})

    def _close_epoch(self, metrics: Metrics, seconds: float) -> None:
        done = self.position
        rate = self._course.rates(done.steps - 1, done.epoch)[0]
        self._course.epoch_finished(metrics, rate)
        self._seconds = seconds
        self.position = replace(done, epoch=done.epoch + 1, step=0)
        self._sums.clear()
        self._course.keep(self.state)
        # Before it is told: an epoch that has been told of is not forgotten.
        if self.recovery.is_due(within_epoch=False):
            self._write_checkpoint()
        self._tell_epoch()

    def _tell_epoch(self) -> None:
        steps = self._data.training.steps
        progress = Progress(self.position.epoch, self.epochs, steps, steps)
        self._emit(EpochFinished(progress, **self._course.last, seconds=self._seconds))

    def _progress(self) -> Progress:
        done, steps = self.position, self._data.training.steps
        if done.epoch == self.epochs:
            return Progress(done.epoch, self.epochs, steps, steps)
        return Progress(done.epoch + 1, self.epochs, done.step, steps)

    def _write_checkpoint(self) -> None:
        """Writes a checkpoint to go on from, unless there is one of this place."""
        if self.position in (self._written, START):
            return
        archive = self.state()
        self._require_finite(archive.arrays)
        # Not part of the state: equal trainings have equal states.
        archive = Archive({**archive.facts, "seconds": self._seconds}, archive.arrays)
        try:
            self.recovery.write(self.position, archive)
        except StorageFailed as error:
            message = f"{error}; training goes on, but would have to go back if it is interrupted"
            self._emit(Warned("CHECKPOINT_FAILED", message))
            return
        self._written = self.position
        self._course.tidy()

    def _require_finite(self, arrays: Arrays) -> None:
        for name, array in arrays.items():
            if name.startswith(MODEL) and not np.isfinite(array).all():
                rate = self._course.rates(self.position.steps, self.position.epoch)[0]
                raise self._divergence("the weights are not finite numbers", rate)

    def _divergence(self, what: str, rate: float, samples: Sequence[str] = ()) -> TrainingDiverged:
        done = self.position
        place = (
            f"step {done.step} of epoch {done.epoch + 1}" if done.step else f"epoch {done.epoch}"
        )
        shown = ", ".join(samples[:NAMED]) + (", ..." if len(samples) > NAMED else "")
        facts = f"learning rate {rate:g}" + (f", samples {shown}" if samples else "")
        return TrainingDiverged(
            f"{what} after {place} ({facts}); lower "
            "learning_rate_schedule.learning_rate, or check the loss's parameters and "
            "preprocessing.normalization_type"
        )
