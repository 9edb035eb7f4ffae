"""The chain on disk: linked, shared, rotated, and whole after a crash."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from dlae_core.errors import CorruptArtifact, StorageFailed
from dlae_server.audit import chain as chains
from dlae_server.audit.chain import Chain
from dlae_server.audit.reading import records
from dlae_server.audit.records import NOTHING, Key
from dlae_server.audit.verifying import verify
from dlae_server.errors import CannotStart
from tests.dlae_server.audit.chains import KEY, facts, files, stored_lines, write


def test_a_record_is_hashed_as_its_description_says(tmp_path: Path) -> None:
    write(tmp_path, 3)
    previous = NOTHING
    for number, line in enumerate(stored_lines(tmp_path), 1):
        whole = json.loads(line)
        digest = whole.pop("hash")
        body = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()
        assert line == body[:-1] + f',"hash":"{digest}"}}\n'.encode()
        assert hashlib.sha256(body).hexdigest() == digest
        assert (whole["seq"], whole["previous"], whole["number"]) == (number, previous, number)
        previous = digest


def test_a_log_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    write(tmp_path, 1)
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "audit").iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_data_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    write(tmp_path, 1)
    made = [tmp_path / "audit", *(tmp_path / "audit").iterdir()]
    assert {path.stat().st_uid for path in made} == {12345}


def test_two_writers_make_one_chain(tmp_path: Path) -> None:
    writers = [Chain(tmp_path, segment_bytes=700) for _ in range(3)]
    for number in range(12):
        writers[number * 7 % 3].append([facts(number)])
    report = verify(tmp_path)
    assert (report.findings, report.records) == ([], 12)
    assert len(files(tmp_path)) > 2
    assert [one.facts["number"] for one in records(tmp_path)] == list(range(12))
    for writer in writers:
        writer.close()


def test_a_chain_goes_on_over_segments_and_starts(tmp_path: Path) -> None:
    for start in range(1, 20, 3):
        write(tmp_path, 3, segment_bytes=900, at=start)
    assert len(files(tmp_path)) > 3
    report = verify(tmp_path)
    assert (report.findings, report.records, report.tip.seq) == ([], 21, 21)


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_torn_line_is_put_aside_and_told(tmp_path: Path, kept: int) -> None:
    write(tmp_path, 3)
    *whole, last = stored_lines(tmp_path)
    files(tmp_path)[0].write_bytes(b"".join(whole) + last[: kept if kept >= 0 else len(last) - 1])
    write(tmp_path, 1, at=9)
    report = verify(tmp_path)
    assert report.findings == []
    told = [one.facts for one in records(tmp_path)]
    if kept == 0:
        assert [one["number"] for one in told] == [1, 2, 9]
        return
    torn = tmp_path / "audit" / told[2]["file"]
    assert [one["what"] for one in told] == ["call", "call", "torn", "call"]
    assert torn.read_bytes() == last[:kept]
    assert told[2]["bytes"] == len(last[:kept])
    torn.write_bytes(b"another")
    assert [one.place for one in verify(tmp_path).findings] == [torn.name]


def test_a_line_torn_by_another_while_a_server_runs_is_put_aside(tmp_path: Path) -> None:
    server = Chain(tmp_path)
    server.append([facts(1)])
    with files(tmp_path)[0].open("ab") as file:
        file.write(b'{"call":"x"')
    server.append([facts(2)])
    assert [one.facts["what"] for one in records(tmp_path)] == ["call", "torn", "call"]
    assert verify(tmp_path).findings == []
    server.close()


def test_what_was_put_aside_before_a_crash_is_told_after_it(tmp_path: Path) -> None:
    write(tmp_path, 2)
    aside = tmp_path / "audit" / "torn-000001-99-aaaaaaaa.new"
    aside.write_bytes(b'{"call')
    write(tmp_path, 1)
    assert [one.facts["what"] for one in records(tmp_path)] == ["call", "call", "torn", "call"]
    assert not aside.exists()
    assert verify(tmp_path).findings == []


def test_a_full_disk_leaves_the_chain_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Chain(tmp_path)
    log.append([facts(1)])

    def half(number: int, data: bytes) -> None:
        os.write(number, data[:30])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(chains, "written", half)
        with pytest.raises(StorageFailed, match="No space left"):
            log.append([facts(2)])
    log.append([facts(3)])
    assert [one.facts["number"] for one in records(tmp_path)] == [1, 3]
    assert verify(tmp_path).findings == []
    log.close()


@pytest.mark.parametrize("how", ["cut", "replaced", "removed", "altered"])
def test_a_writer_sees_that_another_hand_was_at_the_log(tmp_path: Path, how: str) -> None:
    log = Chain(tmp_path)
    log.append([facts(1), facts(2)])
    path = files(tmp_path)[0]
    first, second = stored_lines(tmp_path)
    if how == "cut":
        path.write_bytes(first)
    elif how == "removed":
        path.unlink()
    elif how == "replaced":
        (tmp_path / "other").write_bytes(first + second)
        (tmp_path / "other").replace(path)
    else:
        path.write_bytes(first + second + second)
    with pytest.raises(CorruptArtifact, match="another hand has changed the audit log"):
        log.append([facts(3)])
    log.close()


def test_a_log_that_ends_in_no_record_is_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path, 2)
    with files(tmp_path)[0].open("ab") as file:
        file.write(b"a line\n")
    with pytest.raises(CorruptArtifact, match="is no record"):
        Chain(tmp_path)


def test_signing_begins_and_changes_with_a_record_and_does_not_end_by_itself(
    tmp_path: Path,
) -> None:
    other = Key(b"another key of 32 bytes or more.")
    write(tmp_path, 2)
    write(tmp_path, 2, KEY)
    write(tmp_path, 1, other)
    told = [(one.facts["what"], one.key) for one in records(tmp_path)]
    assert told == [
        *[("call", "")] * 2,
        *(("key", KEY.id), ("call", KEY.id), ("call", KEY.id)),
        *(("key", other.id), ("call", other.id)),
    ]
    assert verify(tmp_path, [KEY, other]).findings == []
    with pytest.raises(CannotStart, match="expected --audit-key"):
        write(tmp_path, 1)
    assert verify(tmp_path).records == 7


def test_text_that_is_no_unicode_is_recorded_as_what_is_left_of_it(tmp_path: Path) -> None:
    log = Chain(tmp_path)
    log.append([{"what": "call", "who": '\ud800 \u00fc \u2028\n"'}])
    log.close()
    assert verify(tmp_path).findings == []
    assert next(records(tmp_path)).facts["who"] == '? \u00fc \u2028\n"'
