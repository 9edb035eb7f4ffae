"""Recovery: when a checkpoint is due, and which one is gone on from."""

from pathlib import Path

import numpy as np
import pytest

from dlae_core.checkpoints.archive import Archive
from dlae_core.checkpoints.recovery import Position, Recovery
from dlae_core.errors import StorageFailed
from tests.dlae_core.checkpoints.test_archive import full_disk


class Clock:
    """Passes when it is told to, and at every look by the time that writing takes."""

    def __init__(self) -> None:
        self.now, self.writing = 0.0, 0.0

    def __call__(self) -> float:
        """Returns the time."""
        self.now += self.writing
        return self.now


def _archive(number: int, size: int = 3) -> Archive:
    return Archive({"number": number}, {"x": np.full(size, number)})


def _numbers(recovery: Recovery) -> list[str]:
    return [path.stem for path in recovery.files()]


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    recovery = Recovery(tmp_path / "r", 60)
    assert recovery.newest() == (None, [])
    for number, place in enumerate([Position(0, 7), Position(0, 12), Position(1, 0), Position(10)]):
        recovery.write(place, _archive(number))
    assert _numbers(recovery) == ["000000010-000000000000", "000000001-000000000000"]
    archive, damaged = Recovery(tmp_path / "r", 60).newest()
    assert archive is not None
    assert (archive.facts["number"], damaged) == (3, [])


@pytest.mark.parametrize("place", [200, 400])
def test_one_flipped_byte_falls_back_to_the_one_before(tmp_path: Path, place: int) -> None:
    recovery = Recovery(tmp_path, 60)
    recovery.write(Position(1), _archive(1))
    recovery.write(Position(2), _archive(2))
    path = recovery.files()[0]
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    archive, damaged = recovery.newest()
    assert archive is not None
    assert (archive.facts["number"], damaged) == (1, [path.name])
    assert not path.exists()


def test_a_full_disk_leaves_the_last_one(tmp_path: Path) -> None:
    recovery = Recovery(tmp_path, 60)
    recovery.write(Position(1), _archive(1))
    with full_disk(10_000), pytest.raises(StorageFailed):
        recovery.write(Position(2), _archive(2, size=10_000))
    archive, damaged = recovery.newest()
    assert archive is not None
    assert (archive.facts["number"], damaged) == (1, [])


def test_one_is_due_after_every_epoch_and_within_one_after_the_period(tmp_path: Path) -> None:
    clock = Clock()
    recovery = Recovery(tmp_path, 60, clock)
    assert recovery.is_due(within_epoch=False)
    clock.now = 59
    assert not recovery.is_due(within_epoch=True)
    clock.now = 60
    assert recovery.is_due(within_epoch=True)
    recovery.write(Position(1), _archive(1))
    assert not recovery.is_due(within_epoch=True)
    assert recovery.is_due(within_epoch=False)
    assert not Recovery(tmp_path, 0, clock).is_due(within_epoch=True)


def test_writing_takes_at_most_a_twentieth_of_the_time(tmp_path: Path) -> None:
    clock = Clock()
    recovery = Recovery(tmp_path, 60, clock)
    clock.writing = 10
    recovery.write(Position(1), _archive(1))
    clock.writing, written = 0, clock.now
    assert recovery.seconds == 10
    clock.now = written + 199
    assert not recovery.is_due(within_epoch=False)
    clock.now = written + 200
    assert recovery.is_due(within_epoch=False)
    assert recovery.is_due(within_epoch=True)
