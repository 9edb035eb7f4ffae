"""Where a training begins: at its last checkpoint, at one that it is given, or with step one."""

from collections.abc import Sequence
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.checkpoints.archive import Archive, is_archive, read_archive
from dlae_core.errors import IncompatibleArtifact, InvalidConfig, Violation
from dlae_core.events import Emit, Warned
from dlae_core.graph import Network
from dlae_core.training.changes import carried_over, changes_of, told
from dlae_core.training.run import Run
from dlae_core.transfer.archived import layers_of_archive
from dlae_core.transfer.weights import take_layers, take_weights

CONTINUED = "Train from Checkpoint"


def begin(run: Run, config: Config, networks: Sequence[Network], emit: Emit) -> bool:
    """Brings a training to where it begins; returns whether it goes on from a checkpoint.

    Raises:
        InvalidConfig: The checkpoint that is given has all epochs already.
        WeightsNotFound: There is no such checkpoint.
        CorruptArtifact: The checkpoint that is given is damaged.
        IncompatibleArtifact: Nothing of it fits the network.
        StorageFailed: The disk is full or cannot be written.
    """
    if _resume(run, emit):
        return True
    run.clear()
    if config.config_file.type_signal != CONTINUED:
        return False
    path = Path(config.paths.load_checkpoint)
    by_name = config.training_configurations.match_weights_by == "name"
    if not is_archive(path):
        transfer = take_weights(networks[0].model, path, by_name)
    else:
        archive = read_archive(path)
        if run.fits(archive):
            _continue(run, archive, emit)
            return True
        transfer = take_layers(networks[0].model, layers_of_archive(archive), by_name, path.name)
    emit(Warned("WEIGHTS_TAKEN", f"training starts with weights of {path.name}: {transfer}"))
    return False


def _continue(run: Run, archive: Archive, emit: Emit) -> None:
    """Goes on from a checkpoint of the same network, perhaps with other settings."""
    done = archive.facts["position"]["epoch"]
    if done >= run.epochs:
        sentence = (
            f"expected more than {done} because the checkpoint is of epoch {done} already, got "
            f"{run.epochs}"
        )
        raise InvalidConfig([Violation("training_configurations.epochs", "TOO_FEW", sentence)])
    changes = changes_of(archive.facts, run.about)
    carried = carried_over(changes, run.fits(archive, optimizer=True))
    for warning in told(changes):
        emit(warning)
    if not carried.optimizer:
        message = "the optimizer's moments do not fit; it begins without them"
        emit(Warned("OPTIMIZER_CHANGED", message))
    run.restore(archive, carried)


def _resume(run: Run, emit: Emit) -> bool:
    """Goes on from the last checkpoint of this training, if there is one."""
    archive, damaged = run.recovery.newest()
    for name in damaged:
        emit(Warned("CHECKPOINT_DAMAGED", f"the checkpoint {name} is damaged and left out"))
    if archive is None:
        return False
    reason = "the last checkpoint is of other settings or data"
    if archive.facts.get("fingerprint") == run.about["fingerprint"]:
        try:
            run.restore(archive)
        except IncompatibleArtifact as error:
            reason = str(error)
        else:
            _tell_versions(run, archive, emit)
            return True
    emit(Warned("OTHER_CHECKPOINT", f"{reason}; training starts from the beginning"))
    return False


def _tell_versions(run: Run, archive: Archive, emit: Emit) -> None:
    if archive.facts["versions"] != run.about["versions"]:
        message = (
            "training goes on with other versions of the programs than it was begun with; its "
            "results may differ in the last digits"
        )
        emit(Warned("VERSIONS_CHANGED", message))
