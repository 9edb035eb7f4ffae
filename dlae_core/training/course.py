"""What a training makes of its epochs: rates, stopping, history, the best weights, checkpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import HISTORY_FILE
from dlae_core.checkpoints.archive import Archive
from dlae_core.history import History
from dlae_core.optimization import EarlyStopping
from dlae_core.training.best import BestWeights
from dlae_core.training.kept import KeptCheckpoints
from dlae_core.training.learning import Learner
from dlae_core.training.reports import Reports

Metrics = dict[str, float]
Arrays = Mapping[str, NDArray[Any]]

_NO_METRICS = ("epoch", "learning_rate")


@dataclass(frozen=True)
class Carried:
    """What of a checkpoint a training goes on from, besides weights, history and place.

    Attributes:
        optimizer: The optimizer's moments.
        rate: The learning rate that plateaus have left.
        within_epoch: The sums of an epoch that was under way; if not, it begins anew.
        comparable: What was watched so far: which epoch was best, how long there was none better.
        same_run: What belongs to this one training: its files, and that it has been stopped early.
    """

    optimizer: bool = True
    rate: bool = True
    within_epoch: bool = True
    comparable: bool = True
    same_run: bool = True


class Course:
    """Follows a training from epoch to epoch.

    Attributes:
        ended: Whether training is to stop before its last epoch.
        last: Metrics and learning rate of the last epoch; empty before.
    """

    def __init__(self, config: Config, learner: Learner, workspace: Path, reports: Reports) -> None:
        """Begins before the first epoch.

        Args:
            config: Resolved and checked.
            learner: What is trained.
            workspace: Holds the folder `bundle`.
            reports: Are told of every epoch.

        Raises:
            StorageFailed: The workspace cannot be written.
        """
        settings = config.training_configurations
        patience = settings.early_stop_patience
        self._rates = learner.rates
        self._stopping = EarlyStopping(patience) if settings.early_stop_switch else None
        self._history = History(workspace / "bundle" / HISTORY_FILE)
        self._best = BestWeights(learner.steps) if settings.restore_best_switch else None
        saving, folder = config.save_configurations, workspace / "kept"
        model = learner.networks[0].model
        self._kept = (
            KeptCheckpoints(saving, folder, model) if saving.save_checkpoints_switch else None
        )
        self._reports = reports
        self.ended = False
        self.last: dict[str, Any] = {}

    def rates(self, update: int, epoch: int) -> tuple[float, ...]:
        """Returns the learning rates of an update, from 0, in an epoch, from 0."""
        return self._rates.of(update, epoch)

    def epoch_finished(self, metrics: Metrics, rate: float) -> None:
        """Takes an epoch into account.

        Args:
            metrics: Means over the epoch; validation metrics begin with `val_`.
            rate: Learning rate of its last step.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        self.last = {"metrics": metrics, "learning_rate": rate}
        self._history.append(metrics, rate)
        watched = metrics.get("val_loss")
        self._rates.epoch_finished(watched)
        if self._stopping:
            self.ended = self._stopping.epoch_finished(watched)
        if self._best:
            self._best.epoch_finished(len(self._history.rows), metrics)
        self._reports.epoch_finished(len(self._history.rows), metrics, rate)

    def clear(self) -> None:
        """Removes what another training has left."""
        self.tidy()
        self._reports.clear()

    def keep(self, state: Callable[[], Archive]) -> None:
        """Writes a checkpoint where the configuration asks for one of the last epoch.

        Args:
            state: Returns the state of the training.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        if self._kept:
            self._kept.epoch_finished(len(self._history.rows), self.last["metrics"], state)

    def end(self) -> Metrics:
        """Puts the best weights back where asked for; returns the metrics of what is left."""
        rows = self._history.rows
        epoch = self._best.put_back() if self._best else 0
        row = rows[(epoch or len(rows)) - 1]
        return {name: value for name, value in row.items() if name not in _NO_METRICS}

    def tidy(self) -> None:
        """Removes files that are no longer wanted; to be called when the state is on disk."""
        if self._kept:
            self._kept.tidy()

    def deliver(self, bundle: Path) -> None:
        """Puts into a bundle what the configuration wants to have beside the model.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        if self._kept:
            self._kept.deliver(bundle)
        self._reports.deliver(bundle)

    def state(self) -> Archive:
        """Returns all that changes from epoch to epoch."""
        best, weights = self._best.state() if self._best else (None, {})
        facts = {
            "ended": self.ended,
            "last": self.last,
            "history": self._history.rows,
            "schedule": self._rates.state(),
            "stopping": self._stopping.state() if self._stopping else None,
            "best": best,
            "kept": self._kept.state() if self._kept else None,
            "reports": self._reports.state(),
        }
        return Archive(facts, weights)

    def restore(self, archive: Archive, carried: Carried) -> None:
        """Goes on from a state.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        facts = archive.facts
        self.last = facts["last"]
        self._history.restore(facts["history"])
        if carried.comparable:
            self._restore_watched(archive, carried)
        if carried.same_run:
            self.ended = facts["ended"]
            if self._kept and facts["kept"]:
                self._kept.restore(facts["kept"])
            self._reports.restore(facts["reports"], len(facts["history"]))

    def _restore_watched(self, archive: Archive, carried: Carried) -> None:
        facts = archive.facts
        self._rates.restore(facts["schedule"], carried.rate)
        if self._stopping and facts["stopping"]:
            # Who goes on after an early stop wants more than one epoch.
            patient = {} if carried.same_run or not facts["ended"] else {"waited": 0}
            self._stopping.restore(facts["stopping"] | patient)
        if self._best and facts["best"]:
            self._best.restore(facts["best"], archive.arrays)
