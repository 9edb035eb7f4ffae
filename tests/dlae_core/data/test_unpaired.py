"""Unpaired images: every pass shows all of X once, and y as evenly as there are any."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dlae.v1.config_pb2 import Augmentation
from dlae_core.data.inspection import Expectation
from dlae_core.data.keeping import Memory
from dlae_core.data.normalization import Normalization, Preprocessing, Statistics
from dlae_core.data.pipeline import Batch, Passes, Pipeline, Resources
from dlae_core.data.preparation import Preparation
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.data.transforms import Variation
from dlae_core.data.unpaired import UnpairedPipeline
from dlae_core.data.unpaired_files import UnannotatedFile

SHAPE = (2, 2, 1)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[dict[str, SampleFile]]:
    counts = {"X": 7, "few": 3, "many": 11}
    for name, count in counts.items():
        samples = ((str(5 + n), np.full(SHAPE, n, np.float32)) for n in range(count))
        write_samples(tmp_path / f"{name}.h5", samples)
    opened = {name: SampleFile(tmp_path / f"{name}.h5") for name in counts}
    yield opened
    for file in opened.values():
        file.close()


def _pipeline(
    files: dict[str, SampleFile], others: str, threads: int = 0, memory: int = 1 << 20
) -> UnpairedPipeline:
    plain = Normalization("none")
    preparation = Preparation(
        Preprocessing(3, 1, Augmentation(), Statistics(), plain, plain),
        Expectation(SHAPE, (), 0),
        "values",
        Variation.from_config(Augmentation()),
        per_pixel=False,
    )
    resources = Resources(threads, Memory(memory))
    passes = Passes(batch_size=3, rounds=2, shuffle=True, seed=4)
    made = [
        Pipeline(UnannotatedFile(file), file.names, preparation, passes, resources)  # type: ignore[arg-type]
        for file in (files["X"], files[others])
    ]
    return UnpairedPipeline(*made, 4, resources)


def _numbers(batches: Iterator[Batch]) -> list[tuple[list[float], list[float]]]:
    return [
        (batch.images[:, 0, 0, 0].tolist(), batch.targets[:, 0, 0, 0].tolist()) for batch in batches
    ]


def test_every_pass_shows_each_image_once_and_others_evenly(files: dict[str, SampleFile]) -> None:
    for others, count in (("few", 3), ("many", 11)):
        found = _numbers(_pipeline(files, others).batches(0))
        assert [len(own) for own, _ in found] == [3, 3, 1, 3, 3, 1]
        for turn in (found[:3], found[3:]):
            own = [one for images, _ in turn for one in images]
            met = [one for _, targets in turn for one in targets]
            assert sorted(own) == list(range(7))
            times = [met.count(number) for number in range(count)]
            assert max(times) - min(times) <= 1


def test_partners_change_from_pass_to_pass(files: dict[str, SampleFile]) -> None:
    found = _numbers(_pipeline(files, "many").batches(0))
    pairs = [set(zip(own, met, strict=True)) for own, met in found]
    assert pairs[0] | pairs[1] | pairs[2] != pairs[3] | pairs[4] | pairs[5]


@pytest.mark.parametrize(("threads", "memory"), [(2, 1 << 20), (3, 0)])
def test_batches_do_not_depend_on_threads_memory_or_where_they_begin(
    files: dict[str, SampleFile], threads: int, memory: int
) -> None:
    expected = _numbers(_pipeline(files, "few").batches(3))
    pipeline = _pipeline(files, "few", threads, memory)
    assert _numbers(pipeline.batches(3)) == expected
    assert _numbers(pipeline.batches(3, 4)) == expected[4:]
    assert pipeline.steps == 6
    assert pipeline.count == 7
    assert pipeline.names(3, 2) == tuple(str(5 + int(n)) for n in expected[2][0])
