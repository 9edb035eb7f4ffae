"""Files predicted one after the other, in batches of images of one form."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1 import models_pb2, prediction_pb2
from dlae_client.cli.data.drawing import evenly_chosen, new_figure
from dlae_client.cli.predict.figure import Shown, draw
from dlae_client.cli.predict.formats import Images, opened
from dlae_client.cli.predict.places import Place
from dlae_client.cli.progress import Bar
from dlae_client.client import Client
from dlae_client.errors import InvalidRequest
from dlae_client.predictions import Asked

Array = NDArray[Any]

DETECTORS = "BBD"
BATCH_BYTES = 16 << 20
SHOWN = 12


@dataclass(frozen=True)
class Work:
    """What is done with every file.

    Attributes:
        client: Asks the server.
        model: The model; exactly this version predicts all files.
        asked: What is asked for.
        most: Images per request.
    """

    client: Client
    model: models_pb2.Model
    asked: Asked
    most: int

    @property
    def reference(self) -> str:
        """`name@version`."""
        return f"{self.model.name}@{self.model.version}"

    @property
    def gives_boxes(self) -> bool:
        """Whether boxes are what comes."""
        return self.asked.kind in ("", "boxes") and self.model.family == DETECTORS


@dataclass
class Written:
    """What was done.

    Attributes:
        model: Model that predicted, as `name@version`.
        sha256: SHA-256 of its manifest.
        description: What was done, where asked for, of the first batch.
        files: Input, output and number of samples of each file.
    """

    model: str
    sha256: str = ""
    description: prediction_pb2.Description | None = None
    files: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Returns all as JSON values; a single file stands for itself."""
        values: dict[str, Any] = {"model": self.model}
        if len(self.files) == 1:
            values |= self.files[0]
        else:
            values |= {"samples": sum(file["samples"] for file in self.files), "files": self.files}
        if self.description is not None:
            values |= {"model_sha256": self.sha256, "description": self._facts()}
        return values

    def described(self) -> Iterator[str]:
        """Yields lines that tell what was done, where asked for."""
        if self.description is None:
            return
        yield f"model  {self.model}  sha256 {self.sha256}"
        for name, value in self._facts().items():
            yield f"{name}  {'; '.join(value) if isinstance(value, list) else value}"

    def _facts(self) -> dict[str, Any]:
        told = self.description or prediction_pb2.Description()
        kind = prediction_pb2.OutputKind.Name(told.output_kind)
        return {
            "output": kind.removeprefix("OUTPUT_KIND_").lower(),
            "preprocessing": list(told.preprocessing),
            "postprocessing": list(told.postprocessing),
            "engine": told.engine,
            "precision": told.precision,
            "tiles": told.tiles,
            "mirror_images": told.mirror_images,
        }


def write_predictions(work: Work, places: Sequence[Place], figure: Path | None) -> Written:
    """Predicts every file, and draws a few predictions where a figure is wanted.

    Raises:
        ClientError: The server refuses, or a file cannot be written.
        DlaeError: A file cannot be used.
    """
    if figure is not None:
        # Where nothing can be drawn, better told before than after hours of predictions.
        new_figure(1, 1)
    run = _Run(work, len(places), SHOWN if figure else 0)
    for place in places:
        run.predict(place)
    if figure is not None:
        draw(figure, run.shown, work.reference)
    return run.written


class _Run:
    """All files of one call of the command.

    Attributes:
        written: What was done so far.
        shown: What is to be drawn.
    """

    def __init__(self, work: Work, count: int, shown: int) -> None:
        self.written = Written(work.reference)
        self.shown: list[Shown] = []
        self._work, self._count, self._most_shown = work, count, shown
        self._bar = Bar()

    def predict(self, place: Place) -> None:
        """Predicts one file."""
        with opened(place, self._work.model.input_shape) as images:
            try:
                target = images.write(place.target, self._predicted(images, place.source.name))
            finally:
                self._bar.clear()
            facts = {"input": str(place.source), "output": str(target)}
            self.written.files.append({**facts, "samples": len(images.names)})

    def _predicted(self, images: Images, file: str) -> Iterator[tuple[str, Array]]:
        done, chosen = 0, self._chosen(images)
        for names in _batches(images, self._work.most):
            batch = np.stack([images.read(name) for name in names])
            outputs = self._asked(batch)
            done += len(names)
            self._draw_bar(done / len(images.names), f"{file}: {done}/{len(images.names)} images")
            for name, image, output in zip(names, batch, outputs, strict=True):
                if name in chosen:
                    title = name if self._count == 1 else f"{file} {name}"
                    self.shown.append(Shown(title, image, output))
                yield name, output

    def _asked(self, batch: Array) -> Iterable[Array]:
        work = self._work
        reply = work.client.reply(work.reference, batch, work.asked)
        if self.written.description is None:
            self.written.description = reply.description
        self.written.sha256 = reply.sha256
        return reply.boxes() if work.gives_boxes else reply.output

    def _chosen(self, images: Images) -> frozenset[str]:
        """Returns which images of a file are drawn: of all files about the same number."""
        left = self._most_shown - len(self.shown)
        share = -(-self._most_shown // self._count)
        return frozenset(evenly_chosen(tuple(images.names), min(left, share)))

    def _draw_bar(self, part: float, text: str) -> None:
        files = len(self.written.files)
        counted = f"file {files + 1}/{self._count}  " if self._count > 1 else ""
        self._bar.draw((files + part) / self._count, counted + text)


def _batches(images: Images, most: int) -> Iterator[list[str]]:
    """Yields names of consecutive images of one shape and type, few and small enough."""
    names: list[str] = []
    kind: tuple[Any, ...] = ()
    for name in images.names:
        of_this = (images.shape(name), images.dtype(name))
        size = images.dtype(name).itemsize * math.prod(images.shape(name))
        full = len(names) >= most or (len(names) + 1) * size > BATCH_BYTES
        if names and (of_this != kind or full):
            yield names
            names = []
        kind = of_this
        names.append(name)
    if names:
        yield names
    elif not images.names:
        raise InvalidRequest("expected at least one image in every file, got none", "NO_IMAGES")
