"""The host: loads models into processes of their own and asks them."""

import asyncio
import json
import os
import socket
import sys
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlae_core import errors as core
from dlae_core.errors import CorruptArtifact, DlaeError
from dlae_server.errors import ModelProcessDied, QueueFull
from dlae_server.jobs.process import ENVIRONMENT
from dlae_server.metrics import Metrics
from dlae_server.serving.frames import LENGTHS, packed
from dlae_server.settings import Settings

WORKER = (sys.executable, "-m", "dlae_server.serving.worker")
BUFFER_BYTES = 4 << 20

# Failures that a model's process may name.
FAILURES: dict[str, type[DlaeError]] = {
    kind.reason: kind
    for kind in (
        core.InvalidTensor,
        core.InvalidImage,
        core.CorruptArtifact,
        core.IncompatibleArtifact,
        core.StorageFailed,
        core.DeviceOutOfMemory,
    )
}


@dataclass(frozen=True)
class Answer:
    """A prediction as bytes: NumPy's name of the type, shape, elements in row-major order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class ModelProcess:
    """One loaded model."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._process = process
        self._reader, self._writer = streams
        self._turn = asyncio.Lock()
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @classmethod
    async def start(cls, bundle: Path, log: Path, command: tuple[str, ...]) -> "ModelProcess":
        """Starts a process and waits until its model is ready.

        Raises:
            CorruptArtifact: The model cannot be loaded.
            ModelProcessDied: The process ended.
        """
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        with theirs, log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(bundle),
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )
        streams = await asyncio.open_unix_connection(sock=ours, limit=BUFFER_BYTES)
        model = cls(process, streams)
        try:
            await model._answer()
        except (DlaeError, asyncio.CancelledError):
            await model.stop()
            raise
        return model

    async def predict(self, header: dict[str, Any], body: Any) -> Answer:
        """Asks for a prediction; one at a time.

        Raises:
            InvalidImage: The images do not suit the model.
            ModelProcessDied: The process ended.
        """
        self._users += 1
        self._unused.clear()
        try:
            await self._turn.acquire()
            exchange = asyncio.create_task(self._exchange(header, body))
            exchange.add_done_callback(lambda _: self._turn.release())
            # A caller that goes away must not leave half a frame to the next one.
            return await asyncio.shield(exchange)
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    async def unused(self) -> None:
        """Waits until nobody waits for a prediction."""
        await self._unused.wait()

    async def stop(self) -> None:
        """Ends the process."""
        self._writer.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _exchange(self, header: dict[str, Any], body: Any) -> Answer:
        try:
            self._writer.write(packed(header, len(body)))
            self._writer.write(body)
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ModelProcessDied("") from error
        return await self._answer()

    async def _answer(self) -> Answer:
        try:
            header_size, size = LENGTHS.unpack(await self._reader.readexactly(LENGTHS.size))
            header = json.loads(await self._reader.readexactly(header_size))
            body = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ModelProcessDied("") from error
        if "failure" in header:
            failure = header["failure"]
            raise FAILURES.get(failure["reason"], CorruptArtifact)(failure["message"])
        return Answer(header.get("dtype", ""), tuple(header.get("shape", ())), body)


class Host:
    """The loaded models, the least recently used first to go."""

    def __init__(
        self, settings: Settings, metrics: Metrics, command: tuple[str, ...] = WORKER
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._command = command
        self._loading = asyncio.Lock()
        self._loaded: OrderedDict[str, ModelProcess] = OrderedDict()
        self._pending: Counter[str] = Counter()

    async def predict(
        self, reference: str, bundle: Path, header: dict[str, Any], body: Any
    ) -> Answer:
        """Predicts with a model, which is loaded where it is not.

        Args:
            reference: `name@version`.
            bundle: Folder of the model.
            header: `{"dtype", "shape", "labels"}`.
            body: The images' bytes.

        Raises:
            QueueFull: Too many predictions of the model are waiting.
            CorruptArtifact: The model cannot be loaded.
            InvalidImage: The images do not suit the model.
            ModelProcessDied: The model's process ended.
        """
        if self._pending[reference] >= self._settings.pending_predictions:
            raise QueueFull("predictions", self._settings.pending_predictions)
        self._pending[reference] += 1
        self._metrics.pending.inc()
        try:
            model = await self._model(reference, bundle)
            return await self._asked(reference, model, header, body)
        finally:
            self._pending[reference] -= 1
            self._metrics.pending.dec()
            if not self._pending[reference]:
                del self._pending[reference]

    async def stop(self) -> None:
        """Ends all processes."""
        for reference, model in list(self._loaded.items()):
            await self._drop(reference, model)

    async def _asked(
        self, reference: str, model: ModelProcess, header: dict[str, Any], body: Any
    ) -> Answer:
        try:
            return await model.predict(header, body)
        except ModelProcessDied as error:
            await self._drop(reference, model)
            self._metrics.restarts.labels("model_died").inc()
            raise ModelProcessDied(reference) from error

    async def _model(self, reference: str, bundle: Path) -> ModelProcess:
        if model := self._ready(reference):
            return model
        # Models load one after the other, without hindering those that are loaded.
        async with self._loading:
            if model := self._ready(reference):
                return model
            await self._make_room(reference)
            start = time.monotonic()
            log = bundle.parent / f"{bundle.name}.log"
            try:
                model = await ModelProcess.start(bundle, log, self._command)
            except ModelProcessDied as error:
                raise ModelProcessDied(reference) from error
            self._loaded[reference] = model
            self._metrics.load_seconds.observe(time.monotonic() - start)
            self._metrics.loaded.labels(*reference.split("@")).set(1)
            return model

    def _ready(self, reference: str) -> ModelProcess | None:
        model = self._loaded.get(reference)
        if model is None or not model.alive:
            return None
        self._loaded.move_to_end(reference)
        return model

    async def _make_room(self, reference: str) -> None:
        """Unloads what has died, and the models used least recently, once they are unused."""
        if dead := self._loaded.get(reference):
            await self._drop(reference, dead)
        while len(self._loaded) >= self._settings.loaded_models:
            name = next(iter(self._loaded))
            model = self._forget(name)
            await model.unused()
            await model.stop()

    async def _drop(self, reference: str, model: ModelProcess) -> None:
        if self._loaded.get(reference) is model:
            self._forget(reference)
        await model.stop()

    def _forget(self, reference: str) -> ModelProcess:
        self._metrics.loaded.remove(*reference.split("@"))
        return self._loaded.pop(reference)
