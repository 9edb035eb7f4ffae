"""An inference session: a configuration to a file of predictions. The same for every family."""

from collections.abc import Callable, Iterator
from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.data.source import SampleFile
from dlae_core.errors import InvalidImage, TrainingCancelled
from dlae_core.events import Emit, InferenceStarted, SamplesPredicted
from dlae_core.inference.applying import Applied, Numbers, batches
from dlae_core.inference.model import model_folder
from dlae_core.inference.writing import write_legacy, write_predictions
from dlae_core.training.saving import empty_folder
from dlae_core.training.workspace import held

Cancelled = Callable[[], bool]


def infer(config: Config, workspace: Path, emit: Emit, cancelled: Cancelled) -> Path:
    """Predicts every sample of `test_X` with `load_model` and writes what it gives.

    One batch is in memory, and one that is read ahead. A session that is begun again in the same
    workspace begins anew.

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
            names, family = images.names, model.manifest.family
            emit(InferenceStarted(len(names), family, model.engine))
            outputs = _outputs(config, model, images, emit, cancelled)
            if config.save_configurations.legacy_predictions_switch:
                return write_legacy(results, family, names, outputs)
            return write_predictions(results, outputs)


def _outputs(
    config: Config, model: Applied, images: SampleFile, emit: Emit, cancelled: Cancelled
) -> Iterator[tuple[str, Numbers]]:
    """Yields name and output of every sample."""
    done, count = 0, len(images.names)
    size = config.training_configurations.batch_size
    for names, batch in batches(images, model.manifest, size):
        if cancelled():
            raise TrainingCancelled("the session was asked to stop")
        try:
            outputs = model.outputs(batch)
        except InvalidImage as error:
            raise InvalidImage(f"{_called(names)} of {images.path.name}: {error}") from error
        yield from zip(names, outputs, strict=True)
        done += len(names)
        emit(SamplesPredicted(done, count))


def _called(names: list[str]) -> str:
    return f"sample '{names[0]}'" if len(names) == 1 else f"samples '{names[0]}' to '{names[-1]}'"
