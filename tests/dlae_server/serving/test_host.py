"""Which models are loaded, which go, and what is left behind, with processes without models."""

import asyncio
import gc
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dlae.v1.models_pb2 import Model
from dlae_core.errors import CorruptArtifact
from dlae_server.errors import ModelNotFound
from dlae_server.metrics import Metrics
from dlae_server.models.catalogue import Entry
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.host import Host, Target
from dlae_server.serving.pins import Pins
from dlae_server.settings import Settings

STUB = (sys.executable, str(Path(__file__).with_name("stub_worker.py")))
QUESTION = Question("|u1", (0,), 0)
CYCLES = 100


class Scene:
    """A host and the models that it may load."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        settings = replace(Settings("127.0.0.1:0", folder, (folder,)), **changes)
        self.folder = folder
        self.metrics = Metrics()
        self.host = Host(settings, self.metrics, STUB)

    def target(self, name: str, version: int = 1, trait: str = "") -> Target:
        """Returns a model, whose process is as its trait says."""
        bundle = self.folder / f"{name}-{version}"
        bundle.mkdir(exist_ok=True)
        if trait:
            (bundle / trait).touch()
        return Target(name, version, bundle)

    async def ask(self, target: Target) -> None:
        """Predicts with a model."""
        answer = await self.host.predict(target, QUESTION, ())
        assert answer.shape == (0,)

    def loaded(self, *targets: Target) -> list[bool]:
        """Returns which models have a process."""
        return [self.host.is_loaded(target) for target in targets]


def acted(play: Callable[[Scene], Awaitable[None]], folder: Path, **changes: Any) -> None:
    """Runs a play."""

    async def run() -> None:
        scene = Scene(folder, **changes)
        try:
            await play(scene)
        finally:
            await scene.host.stop()

    asyncio.run(run())


def test_the_least_recently_used_goes_but_no_model_that_is_kept(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        kept, *others = (scene.target(name) for name in "kabc")
        scene.host.kept = frozenset({kept})
        for target in (kept, *others[:2], others[0], others[2]):
            await scene.ask(target)
        assert scene.loaded(kept, *others) == [True, True, False, True]
        await scene.ask(others[1])
        assert scene.loaded(kept, *others) == [True, False, True, True]

    acted(play, tmp_path)


def test_what_needs_more_memory_than_there_is_for_models_makes_others_go(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        first, second = (scene.target(name, trait="large") for name in "ab")
        small = scene.target("c")
        for target in (first, small, second):
            await scene.host.load(target)
        assert scene.loaded(first, small, second) == [False, True, True]
        await scene.ask(small)
        await scene.host.load(first)
        assert scene.loaded(first, small, second) == [True, True, False]

    acted(play, tmp_path, loaded_models=9, model_bytes=100_000_000)


def test_a_model_larger_than_all_memory_for_models_is_loaded_alone(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        small, large = scene.target("small"), scene.target("large", trait="large")
        for target in (small, large, small, large):
            await scene.ask(target)
            assert scene.host.is_loaded(target)
        assert scene.loaded(small, large) == [False, True]

    acted(play, tmp_path, model_bytes=1_000_000)


def test_nobody_gets_the_answer_to_who_has_given_up(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        target = scene.target("a", trait="thoughtful")
        await scene.host.load(target)

        def asked(kind: int) -> "asyncio.Task[Answer]":
            return asyncio.create_task(scene.host.predict(target, replace(QUESTION, kind=kind), ()))

        first = asked(1)
        await asyncio.sleep(0.05)
        first.cancel()
        others = [asked(kind) for kind in (2, 3, 4)]
        await asyncio.sleep(0.05)
        # This one is next, and leaves before the answer to the first has come.
        others[0].cancel()
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in answers[:2])
        assert [one.shape for one in answers[2:] if isinstance(one, Answer)] == [(3,), (4,)]
        assert scene.host.statistics(target).fail.count == 2
        assert (await scene.host.predict(target, QUESTION, ())).shape == (0,)

    acted(play, tmp_path)


@pytest.mark.parametrize("dies", [False, True])
def test_an_answer_that_comes_in_the_moment_of_giving_up_is_not_waited_for(
    tmp_path: Path, dies: bool
) -> None:
    async def play(scene: Scene) -> None:
        target = scene.target("a", trait="thoughtful")
        await scene.host.load(target)
        process = scene.host._loaded[target]
        first = asyncio.create_task(scene.host.predict(target, replace(QUESTION, kind=1), ()))
        await asyncio.sleep(0.05)
        if dies:
            process._process.kill()
        # The answer is there, and nobody has looked yet.
        time.sleep(0.5)
        first.cancel()
        process._receive()
        async with asyncio.timeout(20):
            answer = await scene.host.predict(target, replace(QUESTION, kind=2), ())
        assert answer.shape == (2,)
        assert first.cancelled()

    acted(play, tmp_path)


@pytest.mark.slow
def test_loading_and_unloading_leaves_nothing_behind(tmp_path: Path) -> None:
    # In a process of its own: this one's memory moves with what other tests left in it.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        before, after, samples = alone.submit(_load_and_unload, tmp_path).result()
    assert after.handles == before.handles
    assert after.memory - before.memory < 1_000_000
    assert samples == 0


class Held(NamedTuple):
    """What a process holds: open files, threads and children, and bytes of memory."""

    handles: tuple[int, int, int]
    memory: int


def _load_and_unload(folder: Path) -> tuple[Held, Held, int]:
    measured: list[Held] = []
    scenes: list[Scene] = []

    async def play(scene: Scene) -> None:
        target = scene.target("m")
        for cycles in (5, CYCLES):
            for _ in range(cycles):
                await scene.ask(target)
                await scene.host.unload(target)
            measured.append(_held())
        scenes.append(scene)

    acted(play, folder)
    before, after = measured
    return before, after, len(next(iter(scenes[0].metrics.loaded.collect())).samples)


def _held() -> Held:
    gc.collect()
    children = Path("/proc/self/task").glob("*/children")
    running = sum(len(path.read_text().split()) for path in children)
    handles = (len(os.listdir("/proc/self/fd")), threading.active_count(), running)
    pages = Path("/proc/self/statm").read_text().split()[1]
    return Held(handles, int(pages) * os.sysconf("SC_PAGE_SIZE"))


class FakeCatalogue:
    """Knows what it was told."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def tell(self, target: Target) -> None:
        """Gives a name a new version."""
        model = Model(name=target.name, version=target.version)
        self.entries[target.name] = Entry(target.reference, model, target.bundle)

    async def find(self, reference: str, project: str = "default") -> Entry:
        """Returns the version."""
        if reference not in self.entries:
            raise ModelNotFound(reference)
        return self.entries[reference]


def test_a_pinned_name_means_the_old_version_until_the_new_one_is_ready(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        catalogue: Any = FakeCatalogue()
        pins = Pins(("m", "later"), catalogue, scene.host)
        old, new = scene.target("m"), scene.target("m", 2, "slow")
        catalogue.tell(old)
        await pins.look()
        assert scene.loaded(old) == [True]
        assert _version(pins, "m") == 1
        catalogue.tell(new)
        looking = asyncio.create_task(pins.look())
        while not looking.done():
            assert _version(pins, "m") == 1
            await scene.ask(old)
            await asyncio.sleep(0.05)
        assert _version(pins, "m") == 2
        assert scene.host.kept == {new}
        assert scene.loaded(old, new) == [True, True]
        for name in "abc":
            await scene.ask(scene.target(name))
        assert scene.loaded(old, new) == [False, True]
        assert (pins.current("later"), pins.current("unpinned")) == (None, None)

    acted(play, tmp_path)


def test_a_pinned_model_that_dies_is_loaded_again_and_one_that_is_gone_means_nothing(
    tmp_path: Path,
) -> None:
    async def play(scene: Scene) -> None:
        catalogue: Any = FakeCatalogue()
        pins = Pins(("m",), catalogue, scene.host)
        target = scene.target("m")
        catalogue.tell(target)
        await pins.look()
        await scene.host.unload(target)
        assert pins.current("m") is None
        await pins.look()
        assert _version(pins, "m") == 1
        catalogue.entries.clear()
        await pins.look()
        assert pins.current("m") is None
        assert scene.host.kept == frozenset()

    acted(play, tmp_path)


def test_a_new_version_that_cannot_be_loaded_leaves_the_old_one(tmp_path: Path) -> None:
    async def play(scene: Scene) -> None:
        catalogue: Any = FakeCatalogue()
        pins = Pins(("m",), catalogue, scene.host)
        catalogue.tell(scene.target("m"))
        await pins.look()
        broken = scene.target("m", 2, "broken")
        catalogue.tell(broken)
        for _ in range(2):
            await pins.look()
            assert _version(pins, "m") == 1
        with pytest.raises(CorruptArtifact):
            await scene.host.load(broken)

    acted(play, tmp_path)


def _version(pins: Pins, reference: str) -> int:
    entry = pins.current(reference)
    assert entry is not None
    return entry.model.version
