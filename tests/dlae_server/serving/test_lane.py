"""Who is joined, dropped, asked again or told, before a model that answers when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from dlae_core.errors import CorruptArtifact, DlaeError, InvalidImage
from dlae_server.errors import ModelProcessDied, ShuttingDown
from dlae_server.metrics import Metrics
from dlae_server.serving import lane as lanes
from dlae_server.serving.answers import Answer, Stages, Unjoinable
from dlae_server.serving.frames import Question
from dlae_server.serving.lane import Lane
from dlae_server.serving.statistics import Statistics


class FakeProcess:
    """Answers each caller with the bytes that it sent, once `proceed` is set.

    Attributes:
        calls: The bytes of every call, one item per caller.
        fails: What a call that holds certain bytes raises.
    """

    def __init__(self) -> None:
        self.stages = Stages(0.1, 0.2, 0.3)
        self.calls: list[list[bytes]] = []
        self.fails: dict[bytes, DlaeError] = {}
        self.proceed = asyncio.Event()
        self.joinable = True

    async def ask(
        self, question: Question, parts: Sequence[bytes], rows: Sequence[int]
    ) -> list[Answer]:
        """Notes the call."""
        assert question.size == sum(map(len, parts))
        assert not rows or question.shape[0] == sum(rows)
        self.calls.append(list(parts))
        await self.proceed.wait()
        if rows and not self.joinable:
            raise Unjoinable("")
        for part in parts:
            if part in self.fails:
                raise self.fails[part]
        return [Answer("|u1", (len(part),), [part]) for part in parts]


class Scene:
    """A lane, its processes and the tasks of its callers."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.done = Statistics()
        self.processes = [FakeProcess()]
        self.starts: list[DlaeError] = []
        self.lane = Lane(
            "m@1", self._found, self._ready, self._died, self.metrics.inference, self.done
        )

    @property
    def process(self) -> FakeProcess:
        """The newest process."""
        return self.processes[-1]

    def call(
        self, data: bytes, shape: tuple[int, ...] = (1, 1), urgent: bool = True, **asked: Any
    ) -> "asyncio.Task[Answer]":
        """Lets a caller come."""
        question = Question("|u1", shape, len(data), **asked)
        return asyncio.create_task(self.lane.predict(question, (data,), urgent))

    async def busy(self) -> "asyncio.Task[Answer]":
        """Lets a first caller come whom the engine works for."""
        first = self.call(b"first")
        await settled()
        return first

    def sample(self, name: str, **labels: str) -> float:
        """Returns a metric's value."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def _found(self) -> FakeProcess | None:
        return None if self.starts else self.process

    async def _ready(self) -> FakeProcess:
        if self.starts:
            raise self.starts.pop()
        return self.process

    async def _died(self, process: FakeProcess) -> None:
        self.processes.append(FakeProcess())
        self.process.fails = process.fails
        self.process.proceed.set()


async def settled() -> None:
    """Returns when every task has gone as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def acted(play: Callable[[Scene], Awaitable[None]]) -> None:
    """Runs a play."""

    async def run() -> None:
        await play(Scene())

    asyncio.run(run())


def test_an_idle_engine_serves_at_once_and_alone() -> None:
    async def play(scene: Scene) -> None:
        scene.process.proceed.set()
        for data in (b"a", b"b"):
            answer = await scene.call(data)
            assert answer.data == data
        assert scene.process.calls == [[b"a"], [b"b"]]

    acted(play)


def test_those_who_wait_are_joined_by_type_and_shape_oldest_first() -> None:
    async def play(scene: Scene) -> None:
        first = await scene.busy()
        shapes = [(1, 1), (1, 2), (2, 1), (1, 2), ()]
        others = [scene.call(bytes([n]), shape) for n, shape in enumerate(shapes)]
        await settled()
        scene.process.proceed.set()
        answers = await asyncio.gather(first, *others)
        assert [answer.data for answer in answers] == [b"first", b"\0", b"\1", b"\2", b"\3", b"\4"]
        assert scene.process.calls[1:] == [[b"\0", b"\2"], [b"\1", b"\3"], [b"\4"]]
        assert scene.sample("dlae_inference_batch_size_sum") == 1 + 3 + 2 + 0
        for stage, seconds in (("input", 0.1), ("infer", 0.2), ("output", 0.3)):
            told = scene.sample("dlae_inference_stage_seconds_sum", stage=stage)
            assert told == pytest.approx(4 * seconds)
        assert scene.sample("dlae_inference_stage_seconds_count", stage="queue") == 6
        assert (scene.done.images, scene.done.queue.count, scene.done.infer.count) == (6, 6, 4)
        assert scene.done.infer.seconds == pytest.approx(4 * 0.2)

    acted(play)


def test_a_call_holds_a_bounded_number_of_images_and_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "BATCH_ROWS", 4)
    monkeypatch.setattr(lanes, "BATCH_BYTES", 100)

    async def play(scene: Scene) -> None:
        first = await scene.busy()
        rows, sizes = (3, 2, 1, 9, 1, 1), (1, 1, 1, 1, 60, 60)
        calls = [
            scene.call(bytes([n]) * size, (count, 1))
            for n, (count, size) in enumerate(zip(rows, sizes, strict=True))
        ]
        await settled()
        scene.process.proceed.set()
        await asyncio.gather(first, *calls)
        joined = [[part[0] for part in call] for call in scene.process.calls[1:]]
        assert joined == [[0, 2], [1, 4], [3], [5]]

    acted(play)


def test_who_gives_up_waiting_never_reaches_the_engine() -> None:
    async def play(scene: Scene) -> None:
        first = await scene.busy()
        gone, stays = scene.call(b"gone"), scene.call(b"stays")
        await settled()
        gone.cancel()
        await settled()
        scene.process.proceed.set()
        await asyncio.gather(first, stays)
        assert scene.process.calls == [[b"first"], [b"stays"]]
        assert scene.lane.pending == 0

    acted(play)


def test_who_gives_up_while_the_engine_works_disturbs_nobody() -> None:
    async def play(scene: Scene) -> None:
        first, other = await scene.busy(), scene.call(b"other")
        first.cancel()
        await settled()
        scene.process.proceed.set()
        assert (await other).data == b"other"

    acted(play)


def test_an_image_that_is_refused_harms_nobody_who_was_joined() -> None:
    async def play(scene: Scene) -> None:
        scene.process.fails[b"bad"] = InvalidImage("refused")
        first = await scene.busy()
        good, bad, better = scene.call(b"good"), scene.call(b"bad"), scene.call(b"better")
        await settled()
        scene.process.proceed.set()
        results = await asyncio.gather(first, good, bad, better, return_exceptions=True)
        assert isinstance(results[2], InvalidImage)
        assert [results[n].data for n in (0, 1, 3)] == [b"first", b"good", b"better"]
        assert scene.process.calls[2:] == [[b"good"], [b"bad"], [b"better"]]

    acted(play)


def test_only_the_caller_whose_images_kill_a_process_alone_is_told() -> None:
    async def play(scene: Scene) -> None:
        scene.process.fails[b"deadly"] = ModelProcessDied("")
        first = await scene.busy()
        good, deadly, late = scene.call(b"good"), scene.call(b"deadly"), scene.call(b"x", (1, 2))
        await settled()
        scene.process.proceed.set()
        results = await asyncio.gather(first, good, deadly, late, return_exceptions=True)
        assert isinstance(results[2], ModelProcessDied)
        assert "'m@1'" in str(results[2])
        assert [results[n].data for n in (0, 1, 3)] == [b"first", b"good", b"x"]
        assert len(scene.processes) == 3

    acted(play)


def test_whose_process_dies_is_served_by_the_next_once() -> None:
    class Once(dict[bytes, DlaeError]):
        def __getitem__(self, key: bytes) -> DlaeError:
            return self.pop(key)

    async def play(scene: Scene) -> None:
        scene.process.fails = Once({b"unlucky": ModelProcessDied("")})
        scene.process.proceed.set()
        assert (await scene.call(b"unlucky")).data == b"unlucky"
        assert len(scene.processes) == 2
        scene.process.fails = {b"deadly": ModelProcessDied("")}
        with pytest.raises(ModelProcessDied):
            await scene.call(b"deadly")
        assert len(scene.processes) == 4

    acted(play)


def test_outputs_that_do_not_come_apart_are_asked_for_one_by_one_from_then_on() -> None:
    async def play(scene: Scene) -> None:
        scene.process.joinable = False
        for _ in range(2):
            scene.process.proceed.clear()
            calls = [await scene.busy(), *(scene.call(bytes([n])) for n in range(3))]
            await settled()
            scene.process.proceed.set()
            await asyncio.gather(*calls)
        assert [len(call) for call in scene.process.calls] == [1, 3, 1, 1, 1, 1, 1, 1, 1]

    acted(play)


def test_a_model_that_cannot_be_loaded_is_told_to_all_and_tried_again_later() -> None:
    async def play(scene: Scene) -> None:
        scene.starts.append(CorruptArtifact("damaged"))
        results = await asyncio.gather(
            scene.call(b"a"), scene.call(b"b", (1, 2)), return_exceptions=True
        )
        assert all(isinstance(result, CorruptArtifact) for result in results)
        scene.process.proceed.set()
        assert (await scene.call(b"c")).data == b"c"

    acted(play)


def test_a_server_that_stops_sends_everybody_away() -> None:
    async def play(scene: Scene) -> None:
        first, other = await scene.busy(), scene.call(b"other")
        await settled()
        scene.lane.stop()
        # The host then ends the process.
        scene.process.fails[b"first"] = ModelProcessDied("m@1")
        scene.process.proceed.set()
        results = await asyncio.gather(first, other, return_exceptions=True)
        assert all(isinstance(result, ShuttingDown) for result in results)
        assert len(scene.process.calls) == 0

    acted(play)


def test_a_fault_of_ours_reaches_who_waits() -> None:
    async def play(scene: Scene) -> None:
        scene.process.fails[b"a"] = KeyError("a fault")  # type: ignore[assignment]
        scene.process.proceed.set()
        with pytest.raises(KeyError):
            await scene.call(b"a")
        assert (await scene.call(b"b")).data == b"b"

    acted(play)


@pytest.mark.parametrize("asked", [{"kind": 1}, {"options": b"o"}, {"describe": True}])
def test_only_who_asks_for_the_same_is_joined(asked: dict[str, Any]) -> None:
    async def play(scene: Scene) -> None:
        first = await scene.busy()
        calls = [scene.call(b"a"), scene.call(b"b", **asked), scene.call(b"c", **asked)]
        await settled()
        scene.process.proceed.set()
        await asyncio.gather(first, *calls)
        assert scene.process.calls[1:] == [[b"a"], [b"b", b"c"]]

    acted(play)


def test_who_can_wait_goes_after_the_urgent() -> None:
    async def play(scene: Scene) -> None:
        first = await scene.busy()
        calls = [
            scene.call(b"slow", urgent=False),
            scene.call(b"fast"),
            scene.call(b"later", urgent=False),
            scene.call(b"other", (1, 2)),
        ]
        await settled()
        scene.process.proceed.set()
        await asyncio.gather(first, *calls)
        assert scene.process.calls[1:] == [[b"fast"], [b"other"], [b"slow", b"later"]]

    acted(play)


def test_nobody_waits_for_the_urgent_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(scene: Scene) -> None:
        first = await scene.busy()
        calls = [scene.call(b"slow", (1, 2), urgent=False), scene.call(b"fast")]
        await settled()
        scene.process.proceed.set()
        await asyncio.gather(first, *calls)
        assert scene.process.calls[1:] == [[b"slow"], [b"fast"]]

    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", -1.0)
    acted(play)
