"""What every protocol of prediction shares: a reference found, the host asked, the call counted."""

import asyncio
import time
from collections.abc import Awaitable, Sequence

import grpc

from dlae_core.bundle import MANIFEST_FILE, file_sha256
from dlae_core.errors import CorruptArtifact, DlaeError
from dlae_server.access.guard import present_project
from dlae_server.audit.predictions import asked_of, proved
from dlae_server.errors import ModelNotFound, OutOfTime
from dlae_server.metrics import Metrics
from dlae_server.models.catalogue import Catalogue, Entry
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.host import Host
from dlae_server.serving.pins import Pins
from dlae_server.serving.volumes import Images
from dlae_server.status import code_of


class Predictions:
    """Predicts with models by reference.

    Attributes:
        catalogue: The models.
        host: Those that are loaded.
        pins: Those that are always.
    """

    def __init__(
        self, catalogue: Catalogue, host: Host, metrics: Metrics, pinned: Sequence[str] = ()
    ) -> None:
        self.catalogue = catalogue
        self.host = host
        self.pins = Pins(pinned, catalogue, host)
        self._metrics = metrics
        self._hashes: dict[str, str] = {}

    async def close(self) -> None:
        """Ends all processes of models."""
        await self.pins.close()
        await self.host.stop()

    def sha256(self, entry: Entry) -> str:
        """Returns the SHA-256 of a model's manifest, which is read once.

        Raises:
            CorruptArtifact: It cannot be read.
        """
        # A version that takes another's place has another bundle.
        if known := self._hashes.get(entry.model.bundle):
            return known
        path = entry.folder / MANIFEST_FILE
        try:
            self._hashes[entry.model.bundle] = found = file_sha256(path)
        except OSError as error:
            raise CorruptArtifact.of_file(path, "cannot be read") from error
        return found

    async def find(self, reference: str) -> Entry:
        """Returns the model of the call's project that a reference means, as `Catalogue.find`."""
        return await self.catalogue.find(reference, present_project())

    async def predict(
        self,
        reference: str,
        question: Question,
        parts: Images,
        urgent: bool = True,
        seconds: float | None = None,
    ) -> tuple[Entry, Answer]:
        """Returns the model that predicted and its answer.

        Args:
            reference: `name` or `name@version`, of the call's project.
            question: Type and shape of the images, and what is asked.
            parts: Their bytes, in order.
            urgent: Whether to go before those who can wait.
            seconds: How long it may take; None: as long as the caller waits.

        Raises:
            ModelNotFound: There is no such model or version.
            OutOfTime: It took longer than `seconds`.
            DlaeError: As `Host.predict`.
        """
        pinned = self.pins.current(reference, present_project())
        entry = pinned or await self.find(reference)
        start, code = time.monotonic(), grpc.StatusCode.CANCELLED
        try:
            question = await asked_of(entry.reference, self.sha256(entry), question, parts)
            asked = self.host.predict(entry.target, question, parts, urgent)
            answer = await _in_time(asked, seconds)
            code = grpc.StatusCode.OK
        except DlaeError as error:
            code = code_of(error)
            if entry.folder.exists():
                raise
            # It has been deleted since it was found.
            code = grpc.StatusCode.NOT_FOUND
            raise ModelNotFound(reference) from error
        finally:
            # Counted once the answer is on its way.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._count, entry, code.name, time.monotonic() - start)
        return entry, await proved(question, answer)

    def _count(self, entry: Entry, code: str, seconds: float) -> None:
        name, version = entry.target.name, entry.target.version
        self._metrics.predictions.labels(name, str(version), code).inc()
        self._metrics.prediction_seconds.labels(name).observe(seconds)


async def _in_time(answer: Awaitable[Answer], seconds: float | None) -> Answer:
    """Waits for an answer, and gives it up when the time is over."""
    if seconds is None:
        return await answer
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError as error:
        raise OutOfTime(seconds) from error
