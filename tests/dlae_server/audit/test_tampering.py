"""Whatever is done to a log is found: every alteration, by hypothesis."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlae_server.audit.records import BEGINNING, Key, Position, sealed
from dlae_server.audit.verifying import Report, verify
from tests.dlae_server.audit.chains import KEY, facts, files, stored_lines, write

RECORDS = 12
EXAMPLES = int(os.environ.get("DLAE_TAMPERINGS", "40"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ONE = st.integers(0, RECORDS - 1)


@pytest.fixture(scope="module", params=["plain", "signed"])
def sound(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A log of some segments."""
    folder: Path = tmp_path_factory.mktemp("log") / request.param
    signed = request.param == "signed"
    write(folder, RECORDS - signed, KEY if signed else None, 900)
    assert len(files(folder)) > 3
    return folder


def tip(folder: Path) -> Position:
    return verify(folder).tip


def after(sound: Path, change: Callable[[list[bytes]], None]) -> Report:
    """Returns what is found in a log whose lines were changed, with its tip known."""
    lines = stored_lines(sound)
    changed = sound.parent / f"{sound.name}-changed"
    shutil.rmtree(changed, ignore_errors=True)
    (changed / "audit").mkdir(parents=True)
    change(lines)
    # In segments again, elsewhere cut: where the cuts are says nothing.
    middle = len(lines) // 2
    for number, part in enumerate((lines[:middle], lines[middle:]), 1):
        (changed / "audit" / f"{number:06d}.jsonl").write_bytes(b"".join(part))
    return verify(changed, expected=[tip(sound)])


def test_a_log_that_nobody_touched_is_sound(sound: Path) -> None:
    assert after(sound, lambda lines: None).findings == []


@many
@given(data=st.data())
def test_any_altered_byte_is_found_and_named(sound: Path, data: st.DataObject) -> None:
    number = data.draw(ONE)
    place = data.draw(st.integers(0, len(stored_lines(sound)[number]) - 1))
    byte = data.draw(st.integers(0, 255))

    def change(lines: list[bytes]) -> None:
        line = bytearray(lines[number])
        line[place] = byte if byte != line[place] else byte ^ 1
        lines[number] = bytes(line)

    place_found = after(sound, change).findings[0].place
    # What was cut in two by an end of line is no record of any number.
    cut = byte == ord("\n") and re.fullmatch(r"00000[12].jsonl, line \d+", place_found)
    assert cut or place_found.startswith(f"record {number + 1} ")


@many
@given(start=ONE, count=st.integers(1, 4))
def test_removed_records_are_found_and_named(sound: Path, start: int, count: int) -> None:
    def change(lines: list[bytes]) -> None:
        del lines[start : start + count]

    (finding,) = after(sound, change).findings
    last = min(start + count, RECORDS)
    if last == RECORDS:
        assert finding.place == f"record {RECORDS}"
        assert "were removed" in finding.problem
    else:
        gone = f"record {start + 1}" + (f" to {last}" if last > start + 1 else "")
        assert finding.place.startswith(f"record {last + 1} ")
        assert finding.problem.startswith(f"is where {gone} should be")


@many
@given(number=ONE, place=ONE)
def test_a_record_that_is_there_twice_is_found(sound: Path, number: int, place: int) -> None:
    findings = after(sound, lambda lines: lines.insert(place, lines[number])).findings
    assert any(f"record {number + 1} " in f"{one.place} " for one in findings)


@many
@given(pair=st.lists(ONE, min_size=2, max_size=2, unique=True))
def test_swapped_records_are_found(sound: Path, pair: list[int]) -> None:
    def change(lines: list[bytes]) -> None:
        lines[pair[0]], lines[pair[1]] = lines[pair[1]], lines[pair[0]]

    assert after(sound, change).findings


@many
@given(place=ONE, line=st.sampled_from([b"\n", b"{}\n", b"x\n", b"null\n", b"\xff\n", b"[1]\n"]))
def test_lines_put_in_are_found(sound: Path, place: int, line: bytes) -> None:
    assert after(sound, lambda lines: lines.insert(place, line)).findings


@many
@given(place=ONE, signed=st.booleans())
def test_a_forged_record_with_the_right_hash_is_found(
    sound: Path, place: int, signed: bool
) -> None:
    key = Key(b"a key of somebody else, 32 bytes") if signed else None

    def change(lines: list[bytes]) -> None:
        at = BEGINNING
        for line in lines[:place]:
            at = Position(at.seq + 1, line[-67:-3].decode())
        lines[place] = sealed(facts(99), at, key)[0]

    findings = after(sound, change).findings
    assert any(f"record {place + 1}" in one.place + one.problem for one in findings)


@many
@given(cut=st.integers(1, 400))
def test_an_end_that_was_cut_off_is_found_with_the_anchor(sound: Path, cut: int) -> None:
    def change(lines: list[bytes]) -> None:
        text = b"".join(lines)[:-cut]
        lines[:] = text.splitlines(keepends=True)

    assert after(sound, change).findings


@pytest.mark.parametrize("how", ["removed", "emptied", "swapped", "copied"])
def test_segments_are_no_easier_to_change(sound: Path, tmp_path: Path, how: str) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "log"))
    _, second, third, *_ = files(folder)
    if how == "removed":
        second.unlink()
    elif how == "emptied":
        second.write_bytes(b"")
    elif how == "copied":
        third.write_bytes(second.read_bytes())
    else:
        one, two = second.read_bytes(), third.read_bytes()
        second.write_bytes(two)
        third.write_bytes(one)
    assert verify(folder).findings


def test_a_chain_rewritten_as_a_whole_is_found_by_its_key_and_by_an_anchor(
    tmp_path: Path,
) -> None:
    write(tmp_path / "true", 5, KEY)
    write(tmp_path / "forged", 5, Key(b"a key of somebody else, 32 bytes"))
    write(tmp_path / "bare", 6)
    for name in ("forged", "bare"):
        assert verify(tmp_path / name).findings == []
        assert verify(tmp_path / name, [KEY]).findings
        found = verify(tmp_path / name, expected=[tip(tmp_path / "true")]).findings
        assert found[0].problem.startswith("is another than the expected")


def test_records_added_without_the_key_are_found(tmp_path: Path) -> None:
    write(tmp_path, 3, KEY)
    line, _ = sealed(facts(9), tip(tmp_path))
    with files(tmp_path)[-1].open("ab") as file:
        file.write(line)
    assert verify(tmp_path).findings == []
    (finding,) = verify(tmp_path, [KEY]).findings
    assert finding.place.startswith("record 5 ")
    assert "not signed" in finding.problem
