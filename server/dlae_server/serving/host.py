"""The host: loads models into processes of their own and has them asked.

How often the bytes of a prediction are copied, beyond what gRPC and protobuf do to read and write
a message: the input once, from the message into memory shared with the model's process, where
`numpy` finds it without a copy; the output twice, from the engine's array into shared memory and
from there into the bytes of the answer. Joining callers costs no copy: their images are written
one behind the other, their outputs read one by one. Only frames of about a hundred bytes pass
through the socket. What is large, `volumes.py`, is copied as often, but never held by the server.
"""

import asyncio
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from dlae_core.engines.threads import shared_threads
from dlae_server.errors import ModelProcessDied, QueueFull
from dlae_server.metrics import Metrics
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.lane import BATCH_ROWS, Lane
from dlae_server.serving.process import ModelProcess
from dlae_server.serving.statistics import Statistics
from dlae_server.serving.volumes import Images
from dlae_server.settings import Settings
from dlae_server.watermarks import Watermarks

WORKER = (sys.executable, "-m", "dlae_server.confinement", "serving.worker")


@dataclass(frozen=True)
class Target:
    """The model to predict with.

    Attributes:
        name: Its name.
        version: Its version.
        bundle: Its folder.
    """

    name: str
    version: int
    bundle: Path

    @property
    def reference(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


class Host:
    """The loaded models, the least recently used first to go.

    Attributes:
        kept: Models that stay, whatever is used; they count for nothing but memory.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, command: tuple[str, ...] = WORKER
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._watermarks = Watermarks(settings, metrics)
        self._command = command
        self._loading = asyncio.Lock()
        self._loaded: OrderedDict[Target, ModelProcess] = OrderedDict()
        self._lanes: dict[Target, Lane] = {}
        self._statistics: dict[Target, Statistics] = {}
        # What models needed when they were loaded last: their like is expected of the next time.
        self._sizes: dict[Target, float] = {}
        self.kept: frozenset[Target] = frozenset()

    async def predict(
        self, target: Target, question: Question, parts: Images, urgent: bool = True
    ) -> Answer:
        """Predicts with a model, which is loaded where it is not.

        Args:
            target: The model.
            question: Type and shape of the images, and what is asked.
            parts: Their bytes, in order.
            urgent: Whether to go before those who can wait.

        Raises:
            QueueFull: Too many predictions of the model are waiting.
            MemoryLow: There is no memory for a model that is not loaded.
            CorruptArtifact: The model cannot be loaded.
            InvalidImage: The images do not suit the model.
            InvalidOptions: The options do not suit the model.
            ModelProcessDied: The model's process ended.
        """
        lane = self._lanes.get(target)
        if lane is None:
            lane = self._lanes[target] = self._new_lane(target)
        limit = self._settings.pending_predictions
        if lane.pending >= limit:
            raise QueueFull("predictions", limit, lane.seconds * -(-lane.pending // BATCH_ROWS))
        self._metrics.pending.inc()
        start, outcome = time.monotonic(), self.statistics(target).fail
        try:
            answer = await lane.predict(question, parts, urgent)
            outcome = self.statistics(target).success
            return answer
        finally:
            outcome.add(time.monotonic() - start)
            self._metrics.pending.dec()
            if not lane.pending and target not in self._loaded:
                self._lanes.pop(target, None)

    async def load(self, target: Target) -> None:
        """Loads a model, where it is not loaded, before it is asked.

        Raises:
            CorruptArtifact: It cannot be loaded.
            ModelProcessDied: Its process ended.
        """
        await self._model(target)

    def loaded(self, name: str) -> list[Target]:
        """Returns the versions of a model that have a process."""
        return [target for target in self._loaded if target.name == name]

    def is_loaded(self, target: Target) -> bool:
        """Returns whether a model has a process that runs."""
        model = self._loaded.get(target)
        return model is not None and model.alive

    def statistics(self, target: Target) -> Statistics:
        """Returns what a model has done."""
        return self._statistics.setdefault(target, Statistics())

    async def unload(self, target: Target) -> None:
        """Ends a model's process, where it has one, once its question is answered."""
        self._sizes.pop(target, None)
        if target in self._loaded:
            model = self._forget(target)
            await model.unused()
            await model.stop()

    async def stop(self) -> None:
        """Ends all processes."""
        for lane in self._lanes.values():
            lane.stop()
        for target, model in list(self._loaded.items()):
            await self._drop(target, model)

    def _new_lane(self, target: Target) -> Lane:
        return Lane(
            target.reference,
            lambda: self._ready(target),
            lambda: self._model(target),
            lambda process: self._died(target, process),
            self._metrics.inference,
            self.statistics(target),
        )

    async def _model(self, target: Target) -> ModelProcess:
        if model := self._ready(target):
            return model
        # Models load one after the other, without hindering those that are loaded.
        async with self._loading:
            if model := self._ready(target):
                return model
            await self._make_room(target)
            self._watermarks.require_memory()
            start = time.monotonic()
            log = target.bundle.parent / f"{target.bundle.name}.log"
            engine = (self._settings.engine or "", str(self._threads() or 0))
            try:
                model = await ModelProcess.start(target.bundle, log, self._command, engine)
            except ModelProcessDied as error:
                raise ModelProcessDied(target.reference) from error
            self._loaded[target] = model
            self._sizes[target] = model.resident_bytes()
            self._metrics.load_seconds.observe(time.monotonic() - start)
            labels = (target.name, str(target.version))
            self._metrics.loaded.labels(*labels).set(1)
            self._metrics.memory.labels(*labels).set_function(model.resident_bytes)
            await self._make_room(target)
            return model

    def _threads(self) -> int | None:
        """Returns the threads for a model beside those that may be loaded with it; None: any."""
        return self._settings.engine_threads or shared_threads(
            self._settings.loaded_models + len(self.kept)
        )

    def _ready(self, target: Target) -> ModelProcess | None:
        model = self._loaded.get(target)
        if model is None or not model.alive:
            return None
        self._loaded.move_to_end(target)
        return model

    async def _make_room(self, target: Target) -> None:
        """Unloads what has died, and the models used least recently, once they are unused."""
        if (dead := self._loaded.get(target)) and not dead.alive:
            await self._died(target, dead)
        while victim := self._victim(target):
            model = self._forget(victim)
            await model.unused()
            await model.stop()

    def _victim(self, target: Target) -> Target | None:
        """Returns the model that goes first where there is too little room for one more, or is."""
        others = [one for one in self._loaded if one != target and one not in self.kept]
        limit, more = self._settings.model_bytes, target not in self._loaded
        needed = sum(model.resident_bytes() for model in self._loaded.values())
        needed += self._sizes.get(target, 0.0) if more else 0.0
        crowded = more and target not in self.kept and len(others) >= self._settings.loaded_models
        if not others or not (crowded or (limit is not None and needed > limit)):
            return None
        # One that works would keep all who wait for a model waiting.
        return next((one for one in others if self._loaded[one].idle), others[0])

    async def _died(self, target: Target, model: ModelProcess) -> None:
        await self._drop(target, model)
        self._metrics.restarts.labels("model_died").inc()

    async def _drop(self, target: Target, model: ModelProcess) -> None:
        if self._loaded.get(target) is model:
            self._forget(target)
        await model.stop()

    def _forget(self, target: Target) -> ModelProcess:
        labels = (target.name, str(target.version))
        self._metrics.loaded.remove(*labels)
        self._metrics.memory.remove(*labels)
        if target in self._lanes and not self._lanes[target].pending:
            del self._lanes[target]
        return self._loaded.pop(target)
