"""An inference session: a configuration to a file of predictions. The same for every family."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.bundle import MANIFEST_FILE
from dlae_core.config import write_config
from dlae_core.data.source import SampleFile
from dlae_core.errors import InvalidImage, TrainingCancelled
from dlae_core.events import Emit, InferenceStarted, SamplesPredicted
from dlae_core.inference.applying import Applied, batches_of
from dlae_core.inference.model import model_folder
from dlae_core.inference.parts import Parts
from dlae_core.inference.writing import PREDICTIONS, Named, write_legacy, write_predictions
from dlae_core.training.saving import empty_folder
from dlae_core.training.workspace import held

# What was predicted within this time may have to be predicted again after an interruption.
PART_SECONDS = 60.0

Cancelled = Callable[[], bool]
Caller = tuple[Emit, Cancelled]


def infer(config: Config, workspace: Path, emit: Emit, cancelled: Cancelled) -> Path:
    """Predicts every sample of `test_X` with `load_model` and writes what it gives.

    One batch is in memory, and one that is read ahead. A session that was interrupted at any
    instant goes on, when it is begun again in the same workspace, where it was a minute before.

    Differs: DLAE 1.0 held all outputs in memory (I6), wrote into the current folder (I5), built the
    loss of the configuration (I2), prepared images as the session says, whatever training had done
    (I7), and told no reason where it failed (I4).

    Args:
        config: Resolved and checked.
        workspace: Folder for everything that the session writes.
        emit: Is handed every event, in order.
        cancelled: Is asked before every batch whether to stop.

    Returns:
        The file, in `workspace/results`.

    Raises:
        WeightsNotFound: There is no such model.
        IncompatibleArtifact: The model cannot be used, or does not suit the settings.
        CorruptArtifact: The model is damaged.
        InvalidConfig: The layers that are to be given weights do not fit together.
        UnusableDataset: The file of samples cannot be used.
        InvalidImage: A sample does not suit the model.
        InvalidOptions: The settings of the section `prediction` do not suit it.
        TrainingCancelled: `cancelled` said so.
        StorageFailed: The disk is full or cannot be written.
    """
    with held(workspace):
        results = empty_folder(workspace / "results")
        bundle = model_folder(config, empty_folder(workspace / "model"), emit)
        model = Applied(bundle, config)
        with SampleFile(Path(config.paths.test_x)) as images:
            model.check(images)
            parts = Parts(workspace / "parts", _fingerprint(config))
            count = len(images.names)
            emit(InferenceStarted(count, model.manifest.family, model.engine))
            if parts.done:
                emit(SamplesPredicted(parts.done, count))
            batches = _batches(config, model, images, parts.done, (emit, cancelled))
            while parts.done < count:
                parts.add(_for_a_while(batches))
            path = _written(config, model.manifest.family, images.names, parts, results)
        parts.remove()
        return path


def _batches(
    config: Config, model: Applied, images: SampleFile, start: int, caller: Caller
) -> Iterator[Iterable[Named]]:
    """Yields names and outputs, batch by batch, of the samples from a position on."""
    emit, cancelled = caller
    done, count = start, len(images.names)
    size = config.training_configurations.batch_size
    for names, batch in batches_of(images, images.names[start:], model.manifest, size):
        if cancelled():
            raise TrainingCancelled("the session was asked to stop")
        try:
            outputs = model.outputs(batch)
        except InvalidImage as error:
            raise InvalidImage(f"{_called(names)} of {images.path.name}: {error}") from error
        done += len(names)
        emit(SamplesPredicted(done, count))
        yield zip(names, outputs, strict=True)


def _for_a_while(batches: Iterator[Iterable[Named]]) -> Iterator[Named]:
    """Yields the outputs of the next batches, until some time has passed."""
    end = time.monotonic() + PART_SECONDS
    for batch in batches:
        yield from batch
        if time.monotonic() > end:
            return


def _written(
    config: Config, family: str, names: Sequence[str], parts: Parts, results: Path
) -> Path:
    """Returns the file of all predictions."""
    if config.save_configurations.legacy_predictions_switch:
        return write_legacy(results, family, names, parts.outputs())
    only = parts.only()
    return (
        only.replace(results / PREDICTIONS) if only else write_predictions(results, parts.outputs())
    )


def _fingerprint(config: Config) -> str:
    """Returns what tells one session from another, and its files from what they were before."""
    paths = [Path(config.paths.load_model), Path(config.paths.test_x)]
    paths[0] = paths[0] / MANIFEST_FILE if paths[0].is_dir() else paths[0]
    files = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(f"{write_config(config)}{files}".encode()).hexdigest()


def _called(names: list[str]) -> str:
    return f"sample '{names[0]}'" if len(names) == 1 else f"samples '{names[0]}' to '{names[-1]}'"
