"""Training: a configuration to a bundle. The same for every model family."""

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

import dlae
from dlae.v1.config_pb2 import Config, Paths
from dlae_core.bundle import CONFIG_FILE, HISTORY_FILE, MODEL_FILE, write_manifest, write_text
from dlae_core.config import write_config
from dlae_core.data.pipeline import Batch
from dlae_core.errors import StorageFailed, TrainingCancelled, TrainingDiverged
from dlae_core.events import (
    Emit,
    EpochFinished,
    Progress,
    StepFinished,
    TrainingStarted,
    Warned,
)
from dlae_core.families.table import FAMILIES
from dlae_core.graph import Network
from dlae_core.history import History
from dlae_core.losses import loss_row
from dlae_core.monitors import Monitors, build_monitors
from dlae_core.optimization import EarlyStopping, LearningRate, build_optimizer
from dlae_core.steps import Steps, device
from dlae_core.training_data import TrainingData, open_training_data
from dlae_core.validation import checked_network

Cancelled = Callable[[], bool]
Sums = NDArray[np.float64]


def train(config: Config, workspace: Path, emit: Emit, cancelled: Cancelled) -> Path:
    """Trains a network and saves it.

    Args:
        config: Resolved and checked.
        workspace: Folder for everything that training writes.
        emit: Is handed every event, in order.
        cancelled: Is asked before every step whether to stop.

    Returns:
        The folder of the bundle, `workspace/bundle`.

    Raises:
        InvalidConfig: The layers do not fit together or do not suit the task.
        UnusableDataset: The data files cannot be trained on.
        TrainingDiverged: The loss is no longer a finite number.
        TrainingCancelled: `cancelled` said so.
        DeviceOutOfMemory: The network and one batch do not fit the device.
        StorageFailed: The disk is full or cannot be written.
    """
    used = device(config.training_configurations.hardware)
    if used != config.training_configurations.hardware:
        emit(Warned("NO_GPU", "this server has no GPU; training runs on the processor"))
    keras.utils.set_random_seed(config.augmentation.random_seed)
    network = checked_network(config)
    bundle = _empty_folder(workspace / "bundle")
    with open_training_data(config, network) as data:
        run = _Run(config, network, data, emit, cancelled, History(bundle / HISTORY_FILE))
        emit(
            TrainingStarted(
                epochs=run.epochs,
                steps=data.training.steps,
                training_samples=data.training.count,
                validation_samples=data.validation.count if data.validation else 0,
                parameters=network.model.count_params(),
                device=used,
            )
        )
        metrics = run.fit()
        _save(bundle, config, network, data, metrics)
    return bundle


@dataclass
class _Count:
    steps: int = 0
    samples: int = 0


class _Run:
    """One training from its first step to its last."""

    def __init__(
        self,
        config: Config,
        network: Network,
        data: TrainingData,
        emit: Emit,
        cancelled: Cancelled,
        history: History,
    ) -> None:
        self._data = data
        self._emit = emit
        self._cancelled = cancelled
        self._history = history
        self._done = _Count()
        self.epochs = config.training_configurations.epochs
        self._rate = LearningRate(config.learning_rate_schedule)
        self._stopping = _early_stopping(config)
        self._monitors = _monitors(config, network)
        self._steps = Steps(
            network.model,
            build_optimizer(config.optimizer, config.learning_rate_schedule.learning_rate),
            loss_row(config).build(config.loss_function, data.class_weights),
            self._monitors,
        )

    def fit(self) -> dict[str, float]:
        """Trains all epochs; returns the metrics of the last."""
        metrics: dict[str, float] = {}
        for epoch in range(self.epochs):
            start = time.monotonic()
            metrics = self._train_epoch(epoch)
            metrics |= {f"val_{name}": value for name, value in self._validate().items()}
            seconds = time.monotonic() - start
            self._close_epoch(epoch, metrics, seconds)
            watched = metrics.get("val_loss")
            self._rate.epoch_finished(watched)
            if self._stopping and self._stopping.epoch_finished(watched):
                break
        return metrics

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        total, count = self._zeros(), 0
        for step, batch in enumerate(self._data.training.batches(epoch), start=1):
            if self._cancelled():
                raise TrainingCancelled("training was stopped on request")
            rate = self._rate.rate(self._done.steps, epoch)
            sums = self._steps.train(batch.images, batch.targets, rate)
            self._done.steps += 1
            self._done.samples += batch.count
            if not np.isfinite(sums[0]):
                raise _divergence(epoch, step, rate)
            total, count = total + _weighted(sums, batch), count + batch.count
            progress = Progress(epoch + 1, self.epochs, step, self._data.training.steps)
            metrics = self._metrics(total, count)
            self._emit(StepFinished(progress, metrics, self._done.steps, self._done.samples))
        return self._metrics(total, count)

    def _validate(self) -> dict[str, float]:
        if self._data.validation is None:
            return {}
        total, count = self._zeros(), 0
        for batch in self._data.validation.batches(0):
            sums = self._steps.evaluate(batch.images, batch.targets)
            total, count = total + _weighted(sums, batch), count + batch.count
        return self._metrics(total, count)

    def _close_epoch(self, epoch: int, metrics: dict[str, float], seconds: float) -> None:
        steps = self._data.training.steps
        rate = self._rate.rate(self._done.steps - 1, epoch)
        self._history.append(metrics, rate, seconds)
        progress = Progress(epoch + 1, self.epochs, steps, steps)
        self._emit(EpochFinished(progress, metrics, rate, seconds))

    def _zeros(self) -> Sums:
        return np.zeros(1 + self._monitors.size)

    def _metrics(self, total: Sums, count: int) -> dict[str, float]:
        """Returns means over all samples so far; the loss is weighted by batch size."""
        return {"loss": float(total[0] / count), **self._monitors.results(total[1:])}


def _weighted(sums: Sums, batch: Batch) -> Sums:
    """Returns the sums with the batch's mean loss turned into a sum over its samples."""
    return np.concatenate([sums[:1] * batch.count, sums[1:]])


def _divergence(epoch: int, step: int, rate: float) -> TrainingDiverged:
    return TrainingDiverged(
        f"the loss is not a finite number after step {step} of epoch {epoch + 1} "
        f"(learning rate {rate:g}); lower learning_rate_schedule.learning_rate, or check the "
        "loss's parameters and preprocessing.normalization_type"
    )


def _early_stopping(config: Config) -> EarlyStopping | None:
    settings = config.training_configurations
    return EarlyStopping(settings.early_stop_patience) if settings.early_stop_switch else None


def _monitors(config: Config, network: Network) -> Monitors:
    family = FAMILIES[config.config_file.model_signal]
    return build_monitors(
        config.monitors,
        family.target_kind(config),
        per_pixel=family.per_pixel,
        classes=family.classes(config, network),
    )


def _empty_folder(path: Path) -> Path:
    """Returns a new folder; what an earlier attempt left there is removed."""
    try:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    except OSError as error:
        raise StorageFailed(f"cannot make a folder for the model: {error.strerror}") from error
    return path


def _save(
    bundle: Path, config: Config, network: Network, data: TrainingData, metrics: dict[str, float]
) -> None:
    try:
        network.model.save(bundle / MODEL_FILE)
    except OSError as error:
        raise StorageFailed(f"cannot save the model: {error.strerror or error}") from error
    write_text(bundle / CONFIG_FILE, write_config(_without_paths(config)))
    family = FAMILIES[config.config_file.model_signal]
    write_manifest(
        bundle,
        {
            "dlae_version": dlae.__version__,
            "keras_version": keras.__version__,
            "create_time": datetime.now(UTC).isoformat(timespec="seconds"),
            "family": family.name,
            "input_shape": family.image_shape(config),
            "output_shape": network.output_shape,
            "classes": family.classes(config, network),
            "parameters": network.model.count_params(),
            "metrics": metrics,
            "seed": config.augmentation.random_seed,
            "preprocessing": data.preprocessing.statistics.to_json(),
            "data": dict(data.hashes),
        },
    )


def _without_paths(config: Config) -> Config:
    """Returns the configuration as a model carries it: paths may name patients and stay here."""
    copy = Config()
    copy.CopyFrom(config)
    for section, keys in _PATHS.items():
        for key in keys:
            setattr(getattr(copy, section), key, "")
    return copy


_PATHS: dict[str, Iterable[str]] = {
    "paths": [field.name for field in Paths.DESCRIPTOR.fields],
    "save_configurations": [
        "save_model_path",
        "save_csv_path",
        "save_checkpoints_path",
        "save_tensorboard_path",
    ],
}
