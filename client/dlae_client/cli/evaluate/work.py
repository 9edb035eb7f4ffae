"""Where the predictions to evaluate come from: a server, or a file."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_client.cli.context import Session
from dlae_client.cli.evaluate.options import Options
from dlae_client.cli.evaluate.samples import paired
from dlae_client.cli.progress import Bar
from dlae_client.client import Client
from dlae_client.errors import InvalidRequest
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.evaluation.cases import DataSet, Predict
from dlae_core.evaluation.kinds import DETECTION, SEGMENTATION
from dlae_core.evaluation.tasks import Task, task_of_arrays, task_of_model

Array = NDArray[Any]

_BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class Work:
    """What is evaluated.

    Attributes:
        source: Model as `name@version`, or the file of predictions.
        task: What is predicted.
        data: The annotations.
        images: The images; None where they are not known.
        predict: Gives the predictions of samples.
    """

    source: str
    task: Task
    data: DataSet
    images: SampleFile | None
    predict: Predict


def opened_work(
    stack: ExitStack, session: Session, arguments: Sequence[str], options: Options
) -> Work:
    """Opens what the arguments name; `stack` closes it.

    Raises:
        UnusableDataset: A file cannot be used, or they do not pair.
        InvalidRequest: What predictions are cannot be seen from them.
        ClientError: The server does not tell of the model.
    """
    paths = [Path(argument) for argument in arguments]
    if options.predictions is None:
        client = stack.enter_context(session.client())
        pairs = paired(stack, paths[1], paths[2], options.stacked)
        work = _from_server(client, arguments[0], pairs, options)
    else:
        pairs = paired(stack, options.predictions, paths[-1], options.stacked)
        images = None
        if len(paths) == 2:
            images = paired(stack, paths[0], paths[1], options.stacked).images
        work = _from_file(pairs, images, options)
    return replace(work, task=replace(work.task, data_range=options.data_range))


def _from_server(client: Client, model: str, pairs: PairedFiles, options: Options) -> Work:
    found = client.model(model)
    # A version that is stored meanwhile must not predict the rest of the samples.
    exact = f"{found.name}@{found.version}"
    task = task_of_model(found.config, found.classes, found.input_shape, found.output_shape)
    asked = {**options.prediction, **task.asked}
    sure = options.prediction.get("confidence_threshold", task.confidence)
    task, images = replace(task, confidence=sure), pairs.images

    def predict(names: Sequence[str]) -> Iterator[Array]:
        bar, done = Bar(), 0
        try:
            for batch in batches(images, names, options.batch_size):
                stack = np.stack([images.read(name) for name in batch])
                outputs = fetched(client, exact, task, stack, asked)
                done += len(batch)
                bar.draw(done / len(names), f"{done}/{len(names)} samples")
                yield from outputs
        finally:
            bar.clear()

    data = DataSet(pairs.annotations, pairs.names, (pairs.annotations, images))
    return Work(exact, task, data, images, predict)


def fetched(
    client: Client, model: str, task: Task, images: Array, asked: Mapping[str, Any]
) -> Iterable[Array]:
    """Returns a model's predictions of images of one shape, as the task takes them.

    Labels are what the model is used for, cleaned as it says, and a small part of the bytes of
    probabilities.
    """
    if task.kind == DETECTION:
        return client.boxes(model, images, asked)
    return client.predict(model, images, labels=task.kind == SEGMENTATION, options=asked)


def batches(file: SampleFile, names: Sequence[str], most: int) -> Iterator[list[str]]:
    """Yields consecutive names of samples of one shape and type, few and small enough."""
    batch: list[str] = []
    last: tuple[Any, ...] = ()
    for name in names:
        form = (file.shape(name), file.dtype(name))
        size = file.dtype(name).itemsize * math.prod(file.shape(name))
        full = len(batch) >= most or (len(batch) + 1) * size > _BATCH_BYTES
        if batch and (form != last or full):
            yield batch
            batch = []
        last = form
        batch.append(name)
    if batch:
        yield batch


def _from_file(pairs: PairedFiles, images: SampleFile | None, options: Options) -> Work:
    predictions, annotations = pairs.images, pairs.annotations
    first = pairs.names[0]
    predicted, reference = predictions.read(first), annotations.read(first)
    seen = task_of_arrays(predicted, reference)
    if options.task is not None and (seen is None or seen.kind != options.task):
        axes = images.shape(first) if images is not None else annotations.shape(first)
        seen = Task(options.task, 0, 3 if len(axes) == 4 else 2)
    if seen is None:
        message = (
            f"expected predictions that suit their annotations, got arrays of {predicted.shape} "
            f"and {reference.shape}; name the task with --task"
        )
        raise InvalidRequest(message, "UNKNOWN_TASK")
    task = replace(seen, classes=seen.classes or _classes(seen, pairs))
    files = (annotations, predictions) if images is None else (annotations, predictions, images)

    def predict(names: Sequence[str]) -> Iterator[Array]:
        return (predictions.read(name) for name in names)

    data = DataSet(annotations, pairs.names, files)
    source = (options.predictions or predictions.path).name
    return Work(source, task, data, images, predict)


def _classes(task: Task, pairs: PairedFiles) -> int:
    """Returns the number of classes that the files hold: of labels from 0, of objects from 1."""
    if task.kind not in (SEGMENTATION, DETECTION):
        return 0
    highest = 1.0
    for file in (pairs.images, pairs.annotations):
        for name in pairs.names:
            values = file.read(name)
            numbers = (
                values.reshape(-1, values.shape[-1])[:, 0] if task.kind == DETECTION else values
            )
            highest = max(highest, float(numbers.max(initial=0)))
    return int(highest) + (task.kind == SEGMENTATION)
