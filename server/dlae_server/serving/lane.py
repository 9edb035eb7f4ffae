"""The line of callers before one model, and how they are joined into calls of its engine.

A caller who finds the engine idle has it called at once, without a task in between. Those who come
while it works wait, and are then taken oldest first, the urgent before the others, who turn urgent
after `PATIENCE_SECONDS`: with the oldest go all others as urgent whose images have its type and
shape and who ask for the same, up to `BATCH_ROWS` images or `BATCH_BYTES`. Nobody waits for a
timer. Who gives up waiting, at a deadline or by cancelling, never reaches the engine.

Where a joined call fails, each of its callers is asked for again, alone: an image that the model
refuses, or that kills its process, harms nobody else. A process that dies has its callers served by
the next one, once; a caller whose process dies a second time is told.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from dlae_core.errors import DlaeError
from dlae_server.errors import ModelProcessDied, ShuttingDown
from dlae_server.metrics import InferenceMetrics
from dlae_server.serving.answers import Answer, Stages, Unjoinable
from dlae_server.serving.frames import Question
from dlae_server.serving.process import INLINE_BYTES, ModelProcess
from dlae_server.serving.statistics import Statistics
from dlae_server.serving.volumes import Images, Volume

BATCH_ROWS = 32
BATCH_BYTES = 64 << 20
# How long a caller who can wait does so for others.
PATIENCE_SECONDS = 10.0
# How much the latest call weighs in the mean time of calls.
_WEIGHT = 0.2


@dataclass(eq=False)
class Caller:
    """Somebody who waits for a prediction.

    Attributes:
        question: Type and shape of the images.
        parts: Their bytes.
        answer: Set in the end.
        urgent: Whether the caller goes before those who can wait.
        alone: Whether a call with these images has failed.
        deaths: Processes that have died while they worked on these images.
        arrived: When the wait began, in seconds of the monotonic clock.
    """

    question: Question
    parts: Images
    answer: "asyncio.Future[Answer]"
    urgent: bool = True
    alone: bool = False
    deaths: int = 0
    arrived: float = field(default_factory=time.monotonic)

    def joins(self, other: "Caller") -> bool:
        """Returns whether both can be served by one call."""
        alone = self.alone or other.alone or isinstance(self.parts, Volume)
        empty = not (self.rows and other.rows)
        return not (alone or empty) and self.question.joins(other.question)

    @property
    def rows(self) -> int:
        """Number of images; 0 for a single number."""
        return self.question.shape[0] if self.question.shape else 0


class Lane:
    """Callers of one model.

    Attributes:
        pending: How many wait or are being served.
        seconds: Mean time of a call of the engine, of late.
    """

    def __init__(
        self,
        reference: str,
        found: Callable[[], ModelProcess | None],
        ready: Callable[[], Awaitable[ModelProcess]],
        died: Callable[[ModelProcess], Awaitable[None]],
        metrics: InferenceMetrics,
        statistics: Statistics,
    ) -> None:
        """Makes an empty line.

        Args:
            reference: `name@version`, for messages.
            found: Returns the model's process; None where it is not started.
            ready: Returns it, started where it is not.
            died: Is told of a process that has died.
            metrics: Where stages and batches are counted, of all models.
            statistics: The same, of this model.
        """
        self.pending = 0
        self.seconds = 0.0
        self._reference = reference
        self._found = found
        self._ready = ready
        self._died = died
        self._metrics = metrics
        self._statistics = statistics
        self._waiting: deque[Caller] = deque()
        self._serving: asyncio.Task[None] | None = None
        # Whether somebody calls the engine: a caller, or the task for all who wait.
        self._is_busy = False
        self._is_stopped = False
        self._joins = True

    async def predict(self, question: Question, parts: Images, urgent: bool = True) -> Answer:
        """Waits for a prediction; for those of all urgent callers too, where it is not urgent.

        Raises:
            DlaeError: What the model's process, or its start, tells.
        """
        caller = Caller(question, parts, asyncio.get_running_loop().create_future(), urgent)
        self.pending += 1
        self._waiting.append(caller)
        try:
            if not self._is_busy:
                self._is_busy = True
                await self._begin(caller)
            return await caller.answer
        finally:
            self.pending -= 1
            caller.answer.cancel()
            caller.parts = ()

    def stop(self) -> None:
        """Sends everybody away."""
        self._is_stopped = True
        if self._serving:
            self._serving.cancel()

    async def _begin(self, caller: Caller) -> None:
        """Has the engine called for a caller who finds it idle, who may give up meanwhile."""
        small = not isinstance(caller.parts, Volume) and caller.question.size <= INLINE_BYTES
        process = self._found() if small else None
        try:
            if process:
                await self._call(process, [caller])
        finally:
            if self._is_stopped:
                self._dismiss(ShuttingDown())
            if self._waiting:
                self._serving = asyncio.create_task(self._serve())
                self._serving.add_done_callback(self._served)
            else:
                self._is_busy = False

    async def _serve(self) -> None:
        """Serves whoever waits, until nobody does."""
        try:
            while self._drop_absent():
                try:
                    process = await self._ready()
                except DlaeError as error:
                    self._dismiss(error)
                    return
                if callers := self._next():
                    await self._call(process, callers)
        finally:
            # Here, not in a callback: whoever comes before it would wait for ever.
            self._serving = None
            self._is_busy = False

    def _served(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            self._dismiss(ShuttingDown())
        elif fault := task.exception():
            # A fault of ours: it belongs to those who wait, and none of them may wait for ever.
            self._dismiss(fault)

    async def _call(self, process: ModelProcess, callers: list[Caller]) -> None:
        """Has the engine called once, for callers who stay in line until they are answered."""
        start = time.monotonic()
        try:
            answers = await self._asked(process, callers)
        except ModelProcessDied:
            await self._died(process)
            self._again(callers, ModelProcessDied(self._reference))
        except Unjoinable as error:
            self._joins = False
            self._again(callers, error)
        except DlaeError as error:
            self._again(callers, error)
        else:
            for caller, answer in zip(callers, answers, strict=True):
                self._waiting.remove(caller)
                if not caller.answer.done():
                    caller.answer.set_result(answer)
            # Counted once the answers are on their way.
            asyncio.get_running_loop().call_soon(
                self._observe, process.stages, callers, start, time.monotonic() - start
            )

    async def _asked(self, process: ModelProcess, callers: list[Caller]) -> list[Answer]:
        first = callers[0].question
        if len(callers) == 1:
            return await process.ask(first, callers[0].parts, ())
        rows = [caller.rows for caller in callers]
        size = sum(caller.question.size for caller in callers)
        joined = replace(first, shape=(sum(rows), *first.shape[1:]), size=size)
        parts = [part for one in callers if not isinstance(one.parts, Volume) for part in one.parts]
        return await process.ask(joined, parts, rows)

    def _again(self, callers: list[Caller], error: DlaeError) -> None:
        """Lets callers be served one by one, or tells a caller who was alone and had a chance."""
        died = isinstance(error, ModelProcessDied)
        if len(callers) == 1 and not (died and not callers[0].deaths):
            self._waiting.remove(callers[0])
            self._fail(callers, error)
        for caller in callers:
            caller.alone = True
            caller.deaths += died

    def _next(self) -> list[Caller]:
        """Returns the oldest caller of the most urgent and those who join it."""
        if not self._drop_absent():
            return []
        oldest, *others = self._most_urgent()
        callers, rows, size = [oldest], oldest.rows, oldest.question.size
        for caller in others if self._joins else ():
            if rows >= BATCH_ROWS or size >= BATCH_BYTES:
                break
            fits = rows + caller.rows <= BATCH_ROWS and size + caller.question.size <= BATCH_BYTES
            if fits and oldest.joins(caller):
                callers.append(caller)
                rows, size = rows + caller.rows, size + caller.question.size
        return callers

    def _most_urgent(self) -> list[Caller]:
        """Returns the urgent callers, or all where there are none, the oldest first."""
        if len(self._waiting) == 1:
            return list(self._waiting)
        waits = time.monotonic() - PATIENCE_SECONDS
        urgent = [one for one in self._waiting if one.urgent or one.arrived < waits]
        return urgent or list(self._waiting)

    def _drop_absent(self) -> bool:
        """Forgets callers who have gone; returns whether any is left."""
        if any(caller.answer.done() for caller in self._waiting):
            self._waiting = deque(one for one in self._waiting if not one.answer.done())
        return bool(self._waiting)

    def _observe(self, stages: Stages, callers: list[Caller], start: float, seconds: float) -> None:
        self.seconds += _WEIGHT * (seconds - self.seconds) if self.seconds else seconds
        metrics = self._metrics
        for caller in callers:
            metrics.queue.observe(start - caller.arrived)
            self._statistics.queue.add(start - caller.arrived)
        metrics.input.observe(stages.input)
        metrics.infer.observe(stages.infer)
        metrics.output.observe(stages.output)
        images = sum(caller.rows for caller in callers)
        metrics.batch_size.observe(images)
        self._statistics.add_call(stages, images)

    def _dismiss(self, error: BaseException) -> None:
        """Tells an error to everybody."""
        self._fail(self._waiting, error)
        self._waiting.clear()

    @staticmethod
    def _fail(callers: Sequence[Caller], error: BaseException) -> None:
        for caller in callers:
            if not caller.answer.done():
                caller.answer.set_exception(error)
