"""Where a training begins: at its last checkpoint, or with the first step."""

from dlae_core.errors import IncompatibleArtifact
from dlae_core.events import Emit, Warned
from dlae_core.training.run import Run


def begin(run: Run, emit: Emit) -> bool:
    """Brings a training to the place where it was interrupted; returns whether there is one.

    Raises:
        StorageFailed: The disk is full or cannot be written.
    """
    if _resume(run, emit):
        return True
    run.clear()
    return False


def _resume(run: Run, emit: Emit) -> bool:
    archive, damaged = run.recovery.newest()
    for name in damaged:
        emit(Warned("CHECKPOINT_DAMAGED", f"the checkpoint {name} is damaged and left out"))
    if archive is None:
        return False
    if archive.facts.get("fingerprint") != run.about["fingerprint"]:
        message = (
            "the last checkpoint is of other settings or data; training starts from the beginning"
        )
        emit(Warned("OTHER_CHECKPOINT", message))
        return False
    try:
        run.restore(archive)
    except IncompatibleArtifact as error:
        emit(Warned("OTHER_CHECKPOINT", f"{error}; training starts from the beginning"))
        return False
    if archive.facts["versions"] != run.about["versions"]:
        message = (
            "training goes on with other versions of the programs than it was begun with; its "
            "results may differ in the last digits"
        )
        emit(Warned("VERSIONS_CHANGED", message))
    return True
