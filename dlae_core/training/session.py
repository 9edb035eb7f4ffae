"""Training: a configuration to a bundle. The same for every model family."""

import hashlib
from pathlib import Path

import keras

import dlae
from dlae.v1.config_pb2 import Config
from dlae_core.config import write_config
from dlae_core.events import Emit, TrainingStarted, Warned
from dlae_core.precision import MIXED, SINGLE, calculate_in, processor_has_bfloat16
from dlae_core.steps import TENSORFLOW, device
from dlae_core.training.beginning import begin
from dlae_core.training.learning import learner_of
from dlae_core.training.run import Caller, Cancelled, Run
from dlae_core.training.saving import empty_folder, save_bundle, text_without_paths
from dlae_core.training.workspace import held
from dlae_core.training_data import TrainingData, open_training_data
from dlae_core.validation import checked_networks


def train(config: Config, workspace: Path, emit: Emit, cancelled: Cancelled) -> Path:
    """Trains a network and saves it.

    A training that was interrupted at any instant, even killed, goes on from its last checkpoint
    when it is begun again in the same workspace. On a processor it ends with the same weights, the
    same history and the same best model as one that was never interrupted.

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
        TrainingDiverged: Loss or weights are no longer finite numbers.
        TrainingCancelled: `cancelled` said so.
        DeviceOutOfMemory: The network and one batch do not fit the device.
        StorageFailed: The disk is full or cannot be written.
    """
    with held(workspace):
        return _train(config, workspace, Caller(emit, cancelled))


def _train(config: Config, workspace: Path, caller: Caller) -> Path:
    emit = caller.emit
    settings = config.training_configurations
    used = device(settings.hardware, settings.deterministic_switch)
    if used != settings.hardware:
        emit(Warned("NO_GPU", "this server has no GPU; training runs on the processor"))
    if settings.precision == MIXED and used == "cpu" and not processor_has_bfloat16():
        message = "this processor has no instructions for bfloat16; training will be slower with it"
        emit(Warned("NO_BFLOAT16", message))
    keras.utils.set_random_seed(config.augmentation.random_seed)
    networks = checked_networks(config)
    bundle = empty_folder(workspace / "bundle")
    with open_training_data(config, networks[0], workspace / "cache") as data:
        run = Run(config, learner_of(config, networks, data), data, workspace, caller)
        run.about = _about(config, data)
        resumed = begin(run, config, networks, emit)
        emit(
            TrainingStarted(
                epochs=run.epochs,
                steps=data.training.steps,
                training_samples=data.training.count,
                validation_samples=data.validation.count if data.validation else 0,
                parameters=sum(network.model.count_params() for network in networks),
                device=used,
            )
        )
        if resumed:
            run.tell_resumed()
        metrics = run.fit()
        for network in networks:
            calculate_in(network.model, SINGLE)
        run.deliver(bundle)
        save_bundle(bundle, config, networks, data, metrics)
    return bundle


def _about(config: Config, data: TrainingData) -> dict[str, object]:
    """Returns what tells one training from another.

    `fingerprint` is the same only for the same settings on the same data; the others say in what
    two trainings differ.
    """
    text = write_config(config) + repr(sorted(data.hashes.items())) + data.split.to_json()
    return {
        "fingerprint": hashlib.sha256(text.encode()).hexdigest(),
        "versions": {
            "dlae": dlae.__version__,
            "keras": keras.__version__,
            "tensorflow": TENSORFLOW,
        },
        "config": text_without_paths(config),
        "data": dict(data.hashes),
    }
