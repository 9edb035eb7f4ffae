"""All commands of the command line: what each of them has to have."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dlae_client import Client, JobOptions
from dlae_client.cli import completion
from dlae_client.cli.main import group
from tests.dlae_client.conftest import Run
from tests.dlae_client.fakes import FakeServer

# Command -> why it cannot print one JSON document.
WITHOUT_JSON: dict[str, str] = {}
# Argument -> what completes it, where the server knows it.
COMPLETED = {
    "job": {completion.job_ids},
    "model": {completion.model_references, completion.fetchable},
    "first": {completion.model_references},
    "second": {completion.model_references},
    "dataset": {completion.dataset_references},
}
# What can be listed -> its verbs.
NOUNS = {
    "jobs": {"list", "show", "fetch", "delete"},
    "models": {"list", "show", "fetch", "import", "delete"},
    "datasets": {"list", "show", "upload", "delete"},
    "context": {"list", "show", "add", "remove"},
}


def leaves(
    found: click.Command = group, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Yields all commands that do something, with how they are called."""
    if not isinstance(found, click.Group) or found.invoke_without_command:
        yield " ".join(path), found
    if isinstance(found, click.Group):
        for name in found.list_commands(click.Context(found)):
            inner = found.get_command(click.Context(found), name)
            assert inner is not None
            yield from leaves(inner, (*path, name))


COMMANDS = dict(leaves())
NAMES = sorted(COMMANDS)


def help_of(name: str) -> str:
    with click.Context(COMMANDS[name], info_name=f"dlae-client {name}") as context:
        return COMMANDS[name].get_help(context)


def examples_of(name: str) -> list[str]:
    """Returns the lines that the help of a command shows as examples."""
    lines = [line.strip() for line in help_of(name).partition("Examples:")[2].splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_prints_json_where_it_is_asked_to(name: str) -> None:
    options = {option for one in COMMANDS[name].params for option in one.opts}
    assert ("--json" in options) != (name in WITHOUT_JSON)


@pytest.mark.parametrize("name", [name for name in NAMES if "list" not in NOUNS.get(name, ())])
def test_every_command_shows_in_its_help_how_it_is_called(name: str) -> None:
    assert examples_of(name), help_of(name)
    for line in examples_of(name):
        # As the shell takes it, and as the command line does, but for doing it.
        program, *words = shlex.split(line)
        assert program == "dlae-client"
        context = group.make_context(program, list(words))
        step: click.Command | None = group
        while isinstance(step, click.Group):
            inner, step, rest = step.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            assert step is not None
            context = step.make_context(inner, list(rest), parent=context)
        # One that another command shows as well has the examples of the other.
        assert step in (COMMANDS[name], *COMMANDS.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_command_prints_one_document_whatever_becomes_of_it(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fake knows neither the jobs and models of the examples nor half of the methods.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    words = shlex.split(examples_of(name)[0])[1:] if examples_of(name) else name.split()
    options = {option for one in COMMANDS[name].params for option in one.opts}
    told = run(*words, "--json", *({"--yes"} & options))
    assert told.document is not None
    assert (told.code == 0) == ("error" not in told.document)
    assert "Traceback" not in told.err


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_command_says_what_it_is(name: str) -> None:
    assert COMMANDS[name].help
    for one in COMMANDS[name].params:
        assert not isinstance(one, click.Option) or one.help, one.name


@pytest.mark.parametrize("name", NAMES)
def test_what_the_server_knows_the_shell_completes(name: str) -> None:
    for one in COMMANDS[name].params:
        if isinstance(one, click.Argument) and one.name in COMPLETED:
            assert one._custom_shell_complete in COMPLETED[one.name]


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_have_the_same_verbs_and_list_without_one(noun: str) -> None:
    found = {name.removeprefix(f"{noun} ") for name in NAMES if name.startswith(f"{noun} ")}
    assert found >= NOUNS[noun]
    assert noun in COMMANDS
    for verb in found & {"delete", "remove"}:
        assert "--yes" in {opt for one in COMMANDS[f"{noun} {verb}"].params for opt in one.opts}


def test_lists_are_filtered_and_cut_as_asked(run: Run, client: Client, server: FakeServer) -> None:
    for number in range(5):
        options = JobOptions(labels={"fold": str(number), "a.b": "x"}, priority=number)
        client.train({}, f"tissue{number}", options)

    def found(*words: str) -> list[str]:
        told = run("--json", "jobs", "list", *words)
        assert told.code == 0, told.err
        return sorted(job["name"] for job in told.document["jobs"])

    assert len(found()) == 5
    assert len(found("--limit", "2")) == 2
    assert found("--filter", "name=tissue3") == ["tissue3"]
    assert found("--filter", "name~ISSUE", "--filter", "priority>=3") == ["tissue3", "tissue4"]
    assert found("--filter", "labels.fold!=0", "--filter", "priority<2") == ["tissue1"]
    assert found("--filter", "labels.a.b=x", "--filter", "priority<=0") == ["tissue0"]
    assert found("--filter", "priority>3", "--filter", "labels.fold=4") == ["tissue4"]
    assert found("--filter", "metrics.absent=1") == []
    assert len(found("--filter", "metrics.absent!=1")) == 5
    assert "no jobs like that" in run("jobs", "list", "--filter", "name=x").out
    models = run("--json", "models", "list", "--filter", "version=1").document["models"]
    assert [model["model"] for model in models] == ["tissue@1"]
    for wrong in ("name", "=x", "nmae=x"):
        told = run("jobs", "list", "--filter", wrong)
        assert (told.code, "expected" in told.err) == (2, True)


def test_no_more_pages_are_asked_for_than_a_limit_needs(run: Run, server: FakeServer) -> None:
    # The fake gives one model to a page.
    assert run("models", "list", "--limit", "1").code == 0
    assert len(server.carried.calls) == 1


def test_the_shell_completes_what_the_server_knows_and_is_silent_where_it_does_not_answer(
    client: Client, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLAE_SERVER", server.address)
    job = client.train({}, "tissue").id

    def completed(name: str, words: str, begun: str = "") -> list[str]:
        command = COMMANDS[name]
        context = click.Context(command, parent=click.Context(group))
        context.params = {"server": words}
        one = next(one for one in command.params if isinstance(one, click.Argument))
        return [item.value for item in one.shell_complete(context, begun)]

    assert completed("jobs show", "") == [job]
    assert completed("fetch", "", "job:ti") == [f"job:{job}"]
    assert completed("fetch", "", "tis") == ["tissue"]
    assert completed("evaluate", "", "tissue@") == ["tissue@2", "tissue@1"]
    assert "unet2d" in completed("prebuilt show", "", "unet")
    assert completed("layers", "", "max p")[0].startswith("Max pooling")
    server.stop()
    for name in ("jobs show", "fetch", "datasets show", "models history"):
        assert completed(name, server.address) == []
        # Nor where nothing but silence comes, or a word is no address.
        assert completed(name, "no address") == []
