"""The life of a model's versions, by the real command line on a real server with fake workers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlae_client import Client
from dlae_client.cli.main import group
from tests.dlae_server.processes import ServerProcess

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with `tissue@1` and `tissue@2`."""
    process = ServerProcess(tmp_path_factory.mktemp("registry"))
    for _ in range(2):
        process.trained("tissue")
    yield process
    process.stop()


@pytest.fixture
def run(server: ServerProcess) -> Run:
    """Runs a command; returns its output, or its document where `--json` is given."""

    def command(*words: object, code: int = 0) -> Any:
        address = server.facts["listen"]
        done = CliRunner().invoke(group, ["--server", address, *map(str, words)])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    return command


def test_a_version_is_named_moved_rolled_back_and_all_of_it_is_told(run: Run) -> None:
    assert run("models", "alias", "tissue@1", "production", "--why", "first") == (
        "tissue@production is tissue@1\n"
    )
    run("models", "alias", "tissue", "production", "--why", "better")
    assert "tissue@2  production  FCN" in run("models")
    shown = run("models", "show", "tissue@production", "--json")
    assert (shown["version"], shown["aliases"], shown["seed"]) == (2, ["production"], 1)
    assert "tissue@1" in run("models", "rollback", "tissue@production")
    assert run("models", "unalias", "tissue@production", "--json")["model"] == "tissue@1"
    told = " ".join(run("models", "history", "tissue").split())
    for sentence in (
        "tissue@1 stored",
        "production is tissue@2, was tissue@1 better",
        "production is tissue@1 again, was tissue@2",
        "production removed, was tissue@1",
    ):
        assert sentence in told
    changes = run("models", "history", "tissue", "--json")["changes"]
    assert [change["kind"] for change in changes[:2]] == ["ALIAS_REMOVED", "ALIAS_ROLLED_BACK"]
    assert changes[0]["who"]


def test_versions_are_compared_and_described(run: Run, tmp_path: Path) -> None:
    assert "val_loss  1.000     1.000     +0" in run("models", "compare", "tissue@1", "tissue@2")
    found = run("models", "compare", "tissue@1", "tissue@2", "--json")
    assert found["metrics"]["loss"] == [0.5, 0.5]
    assert run("models", "card", "tissue").startswith("# tissue@2\n")
    assert run("models", "card", "tissue", "--json")["model"] == "tissue@2"
    path = tmp_path / "metadata.json"
    run("models", "card", "tissue", "--format", "monai", "-o", path)
    assert json.loads(path.read_text())["version"] == "2.0.0"


def test_networks_are_exported_as_far_as_the_client_can(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    run("models", "export", "tissue", "-o", path)
    assert path.stat().st_size == 256 * 5000
    told = run("models", "export", "tissue", "-o", tmp_path / "x", "--format", "onnx", code=4)
    assert "cannot be said in ONNX" in told
    told = run("models", "export", "tissue", "-o", tmp_path / "x", "--format", "savedmodel", code=2)
    assert "dlae-server --data-dir FOLDER export tissue" in told


def test_a_version_is_deleted_on_confirmation_only(run: Run, server: ServerProcess) -> None:
    server.trained("brief")
    run("models", "alias", "brief", "production")
    run("models", "delete", "brief", code=1)
    assert "needs the model 'brief@1'" in run("models", "delete", "brief", "--yes", code=1)
    assert run("models", "delete", "brief", "--yes", "--force") == "deleted brief@1\n"
    assert run("models", "list", "brief", "--json") == {"models": []}
    assert "brief@1 deleted" in run("models", "history", "brief")
    assert run("models", "show", "brief", code=4)


def test_the_python_client_does_the_same(server: ServerProcess, tmp_path: Path) -> None:
    with Client(server.facts["listen"]) as client:
        assert client.set_alias("tissue@1", "best", "why not").version == 1
        assert client.model("tissue@best").version == 1
        assert client.compare("tissue@best", "tissue").second == "tissue@2"
        assert client.remove_alias("tissue@best").version == 1
        kinds = [change.kind for change in client.model_changes("tissue")]
        assert len(kinds) >= 4
        assert client.fetch("tissue@1", tmp_path / "model").is_dir()


def test_the_shell_completes_names_versions_and_aliases(
    server: ServerProcess,
) -> None:
    from click.shell_completion import BashComplete

    def completed(words: list[str], begun: str) -> list[str]:
        names = BashComplete(group, {}, "dlae-client", "_X").get_completions(words, begun)
        return [item.value for item in names]

    place = ["--server", server.facts["listen"]]
    with Client(server.facts["listen"]) as client:
        client.set_alias("tissue@1", "steady")
    assert completed([*place, "models", "history"], "ti") == ["tissue"]
    found = completed([*place, "models", "show"], "tissue@")
    assert found == ["tissue@2", "tissue@1", "tissue@steady"]
    assert completed([*place, "predict"], "tissue@s") == ["tissue@steady"]
    jobs = completed([*place, "status"], "tissue-")
    assert len(jobs) == 2
    assert completed([*place, "watch"], jobs[0]) == jobs[:1]
    assert completed(["--server", "127.0.0.1:1", "fetch"], "ti") == []
    assert completed(["--server", "127.0.0.1:1", "cancel"], "ti") == []
    assert "show" in completed(["models"], "s")
