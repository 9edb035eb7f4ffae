"""Training: a configuration to a bundle. The same for every model family."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import keras

import dlae
from dlae.v1.config_pb2 import Config
from dlae_core.config import write_config
from dlae_core.events import Emit, Event, TrainingStarted, Warned
from dlae_core.graph import Network
from dlae_core.precision import MIXED, SINGLE, calculate_in, processor_has_bfloat16
from dlae_core.steps import SEVERAL, TENSORFLOW, Devices, Place, devices
from dlae_core.training.beginning import begin
from dlae_core.training.demands import lagging_statistics
from dlae_core.training.learning import learner_of
from dlae_core.training.run import Caller, Cancelled, Run
from dlae_core.training.saving import empty_folder, save_bundle, text_without_paths
from dlae_core.training.workspace import held
from dlae_core.training_data import TrainingData, open_training_data
from dlae_core.validation import checked_networks

# Roles of data, which are known by their content.
_DATA = ("train_x", "train_y", "validation_x", "validation_y")


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

    On several machines, each calls this with the same configuration, see docs/several-devices.md.

    Returns:
        The folder of the bundle, `workspace/bundle`. Of several machines the chief writes it.

    Raises:
        InvalidConfig: The layers do not fit together or do not suit the task.
        UnusableDataset: The data files cannot be trained on.
        TrainingDiverged: Loss or weights are no longer finite numbers.
        TrainingCancelled: `cancelled` said so.
        DeviceOutOfMemory: The network and one batch do not fit the device.
        MachineLost: Another machine of the training has ended or does not answer.
        StorageFailed: The disk is full or cannot be written.
    """
    settings = config.training_configurations
    deterministic, number = settings.deterministic_switch, settings.number_of_gpus
    used = devices(settings.hardware, number, deterministic, cancelled)
    caller = Caller(emit if used.machines.is_chief else _untold, used.machines.agreed(cancelled))
    with used.machines.workspace(workspace) as own, held(own):
        _train(config, own, caller, used)
    return workspace / "bundle"


def _untold(_: Event) -> None:
    """The chief tells it."""


def _train(config: Config, workspace: Path, caller: Caller, used: Devices) -> None:
    emit = caller.emit
    for warning in _warnings(config, used):
        emit(warning)
    keras.utils.set_random_seed(config.augmentation.random_seed)
    with used.scope():
        networks = checked_networks(config)
    bundle = empty_folder(workspace / "bundle")
    with open_training_data(config, networks[0], workspace / "cache") as data:
        with used.scope():
            learner = learner_of(config, networks, data)
        run = Run(config, learner, data, workspace, caller)
        run.about = _about(config, data)
        used.machines.require_same(str(run.about["fingerprint"]))
        used.machines.copy_from_chief(workspace / "recovery")
        for warning in lagging_statistics(networks[0].model, run.epochs * data.training.steps):
            emit(warning)
        resumed = begin(run, config, networks, emit)
        emit(
            TrainingStarted(
                epochs=run.epochs,
                steps=data.training.steps,
                training_samples=data.training.count,
                validation_samples=data.validation.count if data.validation else 0,
                parameters=sum(network.model.count_params() for network in networks),
                device=used.label,
            )
        )
        if resumed:
            run.tell_resumed()
        metrics = run.fit()
        if used.machines.is_chief:
            run.deliver(bundle)
            save_bundle(bundle, config, _plain(networks, used), data, metrics)


def _warnings(config: Config, used: Devices) -> Iterator[Warned]:
    """Yields what the devices deserve to be told of them."""
    settings = config.training_configurations
    if used.kind == "cpu" and settings.hardware != "cpu":
        yield Warned("NO_GPU", "this server has no GPU; training runs on the processor")
    if settings.hardware != SEVERAL and Place.of_environment():
        message = (
            f"TF_CONFIG names several machines, but hardware is {settings.hardware!r}; this one "
            "trains alone"
        )
        yield Warned("TF_CONFIG_NOT_USED", message)
    if settings.precision == MIXED and used.kind == "cpu" and not processor_has_bfloat16():
        message = "this processor has no instructions for bfloat16; training will be slower with it"
        yield Warned("NO_BFLOAT16", message)


def _plain(networks: Sequence[Network], used: Devices) -> list[Network]:
    """Returns trained networks as float32 ones that are on one device."""
    found = []
    for network in networks:
        calculate_in(network.model, SINGLE)
        if used.strategy is None:
            found.append(network)
            continue
        model = keras.models.clone_model(network.model)
        model.set_weights(network.model.get_weights())
        found.append(replace(network, model=model))
    return found


def _about(config: Config, data: TrainingData) -> dict[str, object]:
    """Returns what tells one training from another.

    `fingerprint` is the same only for the same settings on the same data; the others say in what
    two trainings differ.
    """
    text = _wherever(config) + repr(sorted(data.hashes.items())) + data.split.to_json()
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


def _wherever(config: Config) -> str:
    """Returns a configuration as it is wherever its files lie: a backup comes back elsewhere.

    Data are known by what is in them, and a checkpoint by its own name and that of its folder.
    """
    copy = Config()
    copy.CopyFrom(config)
    for role in _DATA:
        setattr(copy.paths, role, "")
    copy.paths.load_checkpoint = "/".join(Path(config.paths.load_checkpoint).parts[-2:])
    return write_config(copy)
