"""Contexts: kept in one file of their owner's, and what they hold goes to their server only."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dlae_client import Client, InvalidRequest, LocalFileError, NotFound
from dlae_client.cli.context import context_names
from dlae_client.cli.main import group
from dlae_client.contexts import Context, Contexts, read_contexts, write_contexts
from dlae_client.credentials import Credentials
from dlae_client.targets import Target, find_target
from tests.dlae_client.conftest import Run
from tests.dlae_client.fakes import FakeServer

TOKEN, OTHER = "dlae_00000000_secret", "dlae_11111111_secret"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    for name in ("TOKEN", "TLS_CA", "CLIENT_CERTIFICATE", "CLIENT_KEY", "CONTEXT", "PROJECT"):
        monkeypatch.delenv(f"DLAE_{name}", raising=False)
    monkeypatch.delenv("DLAE_SERVER", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where contexts lie."""
    return tmp_path / "config" / "dlae"


@pytest.fixture
def other() -> Iterator[FakeServer]:
    """Another server."""
    running = FakeServer()
    yield running
    running.stop()


def single(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "context.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_contexts_are_added_chosen_shown_and_removed_and_no_token_is_printed(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLAE_SERVER")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "ca.pem").touch()
    monkeypatch.chdir(tmp_path)
    told = [run("context", "add", "desk", "--server", "127.0.0.1:1", "--token-file", "token")]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{OTHER}\n"))
    clinic = ("--server", "gpu.example:2", "--tls-ca", "ca.pem", "--project", "tissue")
    told.append(run("context", "add", "clinic", *clinic, "--token-stdin"))
    assert (folder / "contexts.toml").stat().st_mode & 0o777 == 0o600
    told.append(run("--json", "context", "list"))
    rows = {row["context"]: row for row in told[-1].document["contexts"]}
    assert [rows[name]["current"] for name in ("desk", "clinic")] == [True, False]
    assert rows["clinic"] == {
        "context": "clinic",
        "server": "gpu.example:2",
        "project": "tissue",
        "tls": True,
        "has_token": True,
        "tls_ca": str(tmp_path / "ca.pem"),
        "tls_certificate": None,
        "tls_key": None,
        "current": False,
    }
    told += [run("context", "use", "clinic"), run("context"), run("context", "show")]
    assert "* " in next(line for line in told[-2].out.splitlines() if "clinic" in line)
    assert told[-1].out.splitlines()[0].split() == ["context", "clinic"]
    told += [run("context", "remove", "clinic", "--yes"), run("context", "show")]
    assert ("dlae-client context use" in told[-2].err, told[-1].code) == (True, 4)
    told.append(run("--debug", "context", "show", "desk"))
    assert [one.code for one in told] == [0] * 7 + [4, 0]
    assert "secret" not in "".join(one.out + one.err for one in told)
    assert "secret" in (folder / "contexts.toml").read_text()


def test_token_and_project_of_a_context_go_to_its_server_only(
    run: Run, server: FakeServer, other: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLAE_SERVER")
    one = Context("one", server.address, "tissue", Credentials(TOKEN))
    two = Context("two", other.address, "", Credentials(OTHER))
    write_contexts(Contexts({"one": one, "two": two}, "one"))
    assert run("status").code == run("--context", "two", "status").code == 0
    assert run("jobs", "list", "--context", "two", "--project", "bone").code == 0
    assert run("--server", other.address, "status").code == 0
    monkeypatch.setenv("DLAE_SERVER", other.address)
    assert run("status").code == 0
    # A context that is named is meant, whatever the environment says of another server.
    monkeypatch.setenv("DLAE_TOKEN", "dlae_22222222_of_the_environment")
    monkeypatch.setenv("DLAE_PROJECT", "of-the-environment")
    assert run("--context", "one", "status").code == 0
    with Client.from_context("one", project="bone") as client:
        list(client.jobs())
    # Without a name, what the command line uses without options.
    with Client.from_context() as client:
        list(client.jobs())
    with Client(server.address, credentials=Credentials("given"), project="given") as client:
        list(client.jobs())
    assert server.carried.calls == [
        (TOKEN, "tissue"),
        (TOKEN, "tissue"),
        (TOKEN, "bone"),
        ("given", "given"),
    ]
    assert other.carried.calls == [
        (OTHER, ""),
        (OTHER, "bone"),
        ("", ""),
        ("", ""),
        ("dlae_22222222_of_the_environment", "of-the-environment"),
    ]


def test_a_context_and_another_server_are_not_guessed_between(run: Run) -> None:
    write_contexts(Contexts({"one": Context("one", "127.0.0.1:1")}))
    done = run("--json", "--context", "one", "--server", "127.0.0.1:2", "status")
    assert (done.code, done.document["error"]["reason"]) == (2, "USAGE")
    done = run("--json", "--context", "tow", "status")
    assert (done.code, done.document["error"]["reason"]) == (4, "CONTEXT_NOT_FOUND")
    with pytest.raises(InvalidRequest, match="project"):
        find_target(project="two words")


def test_the_variable_names_a_context_or_a_file_of_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = {name: Context(name, f"{name}.example:1") for name in ("one", "two")}
    write_contexts(Contexts(rows, "one"))
    monkeypatch.setenv("DLAE_CONTEXT", "two")
    assert find_target().server == "two.example:1"
    assert find_target(context="one").server == "one.example:1"
    monkeypatch.setenv("DLAE_CONTEXT", "three")
    with pytest.raises(NotFound):
        find_target()
    path = single(tmp_path / "elsewhere", 'server = "file.example:1"\ntoken = "file"\ntls = true')
    monkeypatch.setenv("DLAE_CONTEXT", str(path))
    assert find_target() == Target("file.example:1", Credentials("file", tls=True))
    monkeypatch.setenv("DLAE_CONTEXT", str(path.with_name("missing.toml")))
    with pytest.raises(LocalFileError, match=r"missing\.toml"):
        find_target()


def test_the_file_of_one_context_is_the_default_and_taken_over_with_the_first_change(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLAE_SERVER")
    path = single(folder, f'server = "127.0.0.1:1"\ntoken = "{TOKEN}"')
    assert find_target() == find_target(context="default")
    assert find_target() == Target("127.0.0.1:1", Credentials(TOKEN))
    assert run("context", "add", "clinic", "--server", "gpu.example:2").code == 0
    assert not path.exists()
    assert find_target() == Target("127.0.0.1:1", Credentials(TOKEN))
    assert set(read_contexts().all) == {"default", "clinic"}


def test_a_file_without_a_server_means_this_machine_and_no_other(folder: Path) -> None:
    single(folder, f'token = "{TOKEN}"\ntls = true')
    assert find_target().credentials.token == TOKEN
    assert find_target("gpu.example:2") == Target("gpu.example:2")


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("a b", "--server", "h:1"), 2, "name of a context"),
        (("a.toml", "--server", "h:1"), 2, "name of a context"),
        (("there", "--server", "h:1"), 2, "--force"),
        (("new",), 2, "--server"),
        (("new", "--server", "h:1", "--token-stdin"), 2, "TLS"),
        (("new", "--server", "h:1", "--token-file", "missing"), 1, "missing"),
        (("new", "--server", "h:1", "--token-file", "x", "--token-stdin"), 2, "both"),
        (("new", "--server", "h:1", "--project", "two words"), 2, "project"),
    ],
)
def test_what_could_not_be_used_is_not_kept(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    expected: str,
) -> None:
    monkeypatch.delenv("DLAE_SERVER")
    before = Contexts({"there": Context("there", "h:1")}, "there")
    write_contexts(before)
    monkeypatch.setattr(sys, "stdin", io.StringIO(TOKEN))
    done = run("context", "add", *arguments)
    assert (done.code, expected in done.err, "secret" in done.err) == (code, True, False)
    assert read_contexts() == before


@pytest.mark.parametrize(
    "text",
    ["current = 1", 'contexts = "x"', "[contexts]\nx = 1", "[contexts.x]\nserver = 1", "x = 1"],
)
def test_a_file_of_contexts_that_is_wrong_is_refused(folder: Path, text: str) -> None:
    single(folder, text).rename(folder / "contexts.toml")
    with pytest.raises(LocalFileError, match=r"contexts\.toml"):
        read_contexts()


def test_what_is_kept_comes_back_whatever_it_holds(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    real = tmp_path / "settings.toml"
    (folder / "contexts.toml").symlink_to(real)
    odd = Path('/a "quoted"\\ folder\t\x7f/ünïcode 🩻.pem')
    wanted = Contexts(
        {
            "a.b": Context("a.b", "[::1]:1", "p", Credentials(TOKEN, False, odd, odd, odd)),
            "c": Context("c", credentials=Credentials(tls=True)),
        },
        "c",
    )
    write_contexts(wanted)
    assert read_contexts() == wanted
    assert (real.stat().st_mode & 0o777, list(folder.iterdir())) == (
        0o600,
        [folder / "contexts.toml"],
    )


def test_the_shell_completes_names_of_contexts_and_says_nothing_of_failures(folder: Path) -> None:
    context, option = click.Context(group), group.params[1]
    assert option.name == "context"
    assert context_names(context, option, "") == []
    write_contexts(Contexts({name: Context(name) for name in ("desk", "clinic", "clinic-2")}))
    assert context_names(context, option, "cl") == ["clinic", "clinic-2"]
    (folder / "contexts.toml").write_text("x")
    assert context_names(context, option, "") == []
