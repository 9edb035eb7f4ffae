"""`dlae-server audit`, and what other commands record beside a server."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlae_server.audit.reading import records
from dlae_server.audit.verifying import verify
from dlae_server.main import main
from tests.dlae_server.audit.chains import files, stored_lines, write
from tests.dlae_server.folders import server_folder


def run(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(main, ["--data-dir", str(folder), *map(str, words)])


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The file of a key."""
    path = tmp_path / "audit.key"
    path.write_bytes(b"0123456789abcdef0123456789abcdef")
    path.chmod(0o600)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose log has five records."""
    write(tmp_path / "server", 5)
    return tmp_path / "server"


def test_a_sound_log_is_verified_and_a_changed_one_named(folder: Path) -> None:
    tip = run(folder, "audit", "show", "--tip").output.strip()
    assert tip == str(verify(folder).tip)
    done = run(folder, "audit", "verify", "--expect", tip)
    assert (done.exit_code, done.output) == (0, f"sound\n5 records, 1 to {tip}\n")
    (path,) = files(folder)
    path.write_bytes(path.read_bytes().replace(b"anna", b"john", 1))
    done = run(folder, "audit", "verify")
    assert done.exit_code == 1
    assert done.output.startswith(
        "record 1 (000001.jsonl, line 1): says that it is 1, and is not what its hash says\n"
    )
    findings = json.loads(run(folder, "audit", "verify", "--json").output)["findings"]
    assert [one["place"] for one in findings] == ["record 1 (000001.jsonl, line 1)"]


def test_a_log_that_was_cut_off_is_found_by_its_tip_alone(folder: Path) -> None:
    tip = run(folder, "audit", "show", "--tip").output.strip()
    files(folder)[0].write_bytes(b"".join(stored_lines(folder)[:3]))
    assert run(folder, "audit", "verify").exit_code == 0
    done = run(folder, "audit", "verify", "--expect", tip)
    assert done.exit_code == 1
    assert "the log ends with record 3, so that records were removed" in done.output
    assert run(folder, "audit", "verify", "--expect", "five").exit_code == 1


def test_records_are_shown_by_who_method_model_job_and_time(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    run(folder, "token", "create", "anna", "--scope", "viewer")
    write(folder, 2)
    done = run(folder, "audit", "show", "--method", "SetAlias", "--who", "anna", "--json")
    assert [json.loads(line)["number"] for line in done.output.splitlines()] == [1, 2]
    assert run(folder, "audit", "show", "--who", "berta").output == ""
    assert run(folder, "audit", "show", "--since", "2999-01-01").output == ""
    assert run(folder, "audit", "show", "--model", "m").output == ""
    shown = run(folder, "audit", "show").output.splitlines()
    assert len(shown) == 3
    assert "token_create" in shown[0]
    assert "ModelService/SetAlias by anna" in shown[1]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_export_verifies_without_the_server_and_shows_changes(
    folder: Path, tmp_path: Path, kind: str
) -> None:
    file, nowhere = tmp_path / f"log.{kind}", tmp_path / "nowhere"
    assert run(folder, "audit", "export", "--format", kind, "-o", file).exit_code == 0
    tip = str(verify(folder).tip)
    done = run(nowhere, "audit", "verify", "--chain", file, "--expect", tip)
    assert (done.exit_code, done.output) == (0, f"sound\n5 records, 1 to {tip}\n")
    text = file.read_text()
    for changed in (text.replace("anna", "john", 1), text.replace("\n", "\n\n", 1), text[:-20]):
        file.write_text(changed)
        assert run(nowhere, "audit", "verify", "--chain", file, "--expect", tip).exit_code == 1


def test_an_export_does_not_hide_what_is_wrong(folder: Path) -> None:
    (path,) = files(folder)
    path.write_bytes(path.read_bytes().replace(b"anna", b"john", 1))
    done = run(folder, "audit", "export")
    assert done.exit_code == 1
    assert "is not what its hash says" in done.output


def test_tokens_made_and_revoked_beside_the_server_are_recorded_without_themselves(
    tmp_path: Path, key: Path
) -> None:
    folder = tmp_path / "server"
    signing = ("--audit-key", key)
    token = run(folder, *signing, "token", "create", "anna", "--scope", "admin").output.split()[0]
    assert run(folder, *signing, "token", "revoke", "anna").exit_code == 0
    told = [one.facts for one in records(folder)]
    assert [one["what"] for one in told] == ["key", "token_create", "token_revoke"]
    assert (told[1]["name"], told[1]["gives"], told[1]["scope"]) == ("anna", "admin", "local")
    assert told[1]["token"] == told[2]["token"] == token.split("_")[1]
    assert token.encode() not in b"".join(stored_lines(folder))
    assert run(folder, *signing, "audit", "verify").output.startswith("sound\n")
    done = run(folder, "token", "create", "berta", "--scope", "viewer")
    assert (done.exit_code, "expected --audit-key" in done.output) == (1, True)
    assert [row["name"] for row in json.loads((folder / "tokens.json").read_text())["grants"]] == [
        "anna"
    ]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("inside", "expected the audit key outside the data folder"),
        ("short", "expected an audit key of 32 bytes or more"),
        ("open", "expected an audit key that its owner alone can read"),
        ("gone", "cannot read the audit key"),
    ],
)
def test_keys_that_guard_nothing_are_refused(
    tmp_path: Path, key: Path, how: str, sentence: str
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    if how == "inside":
        key = Path(shutil.copy(key, folder / "key"))
    elif how == "short":
        key.write_bytes(b"secret")
    elif how == "open":
        key.chmod(0o644)
    else:
        key.unlink()
    done = run(folder, "--audit-key", key, "token", "create", "anna", "--scope", "viewer")
    assert done.exit_code == 1
    assert sentence in done.output


def test_backups_hold_the_log_and_a_restore_goes_on_with_it(tmp_path: Path) -> None:
    folder, copy, back = (tmp_path / name for name in ("server", "copy", "back"))
    server_folder(folder)
    write(folder, 3)
    assert run(folder, "backup", copy).exit_code == 0
    card = json.loads((copy / "backup.json").read_text())
    assert run(back, "restore", copy).exit_code == 0
    told = [one.facts for one in records(back)]
    assert [one["what"] for one in told] == ["call", "call", "call", "restore"]
    assert told[3]["audit_tip"] == card["audit_tip"] == f"3:{told[3]['previous']}"
    assert (told[3]["problems"], told[3]["store_sha256"]) == (0, card["store_sha256"])
    assert run(back, "fsck").output == "all is sound\n"
    last = [one.facts for one in records(folder)][-1]
    assert (last["what"], last["audit_tip"]) == ("backup", card["audit_tip"])


def test_a_restore_keeps_a_log_that_goes_on_from_the_backup_and_moves_others_aside(
    tmp_path: Path,
) -> None:
    folder, copy = server_folder(tmp_path / "server"), tmp_path / "copy"
    write(folder, 3)
    run(folder, "backup", copy)
    (folder / "dlae.sqlite3").unlink()
    assert run(folder, "restore", copy).exit_code == 0
    assert [one.facts["what"] for one in records(folder)][3:] == ["backup", "restore"]
    other = tmp_path / "other"
    write(other, 2)
    assert run(other, "restore", copy).exit_code == 0
    told = [one.facts for one in records(other)]
    assert [one["what"] for one in told] == ["call", "call", "call", "restore"]
    assert verify(other).findings == []
    aside = other / told[3]["aside"]
    assert len((aside / "000001.jsonl").read_bytes().splitlines()) == 2


def test_a_restore_tells_that_the_log_of_the_backup_is_not_sound(tmp_path: Path) -> None:
    folder, copy, back = server_folder(tmp_path / "server"), tmp_path / "copy", tmp_path / "back"
    write(folder, 3)
    run(folder, "backup", copy)
    (path,) = files(copy)
    path.write_bytes(path.read_bytes().replace(b"anna", b"john", 1))
    done = run(back, "restore", copy)
    assert done.exit_code == 0
    assert "the audit log of the backup is not sound" in done.output
    assert run(back, "fsck").exit_code == 1
