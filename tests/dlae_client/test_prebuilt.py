"""`dlae-client prebuilt`: lists and prints the networks that come with DLAE, without a server."""

import json
import sys
from pathlib import Path

import pytest

from dlae_client.cli.main import main
from dlae_core.config import read_config, resolve_config
from dlae_core.config.prebuilt import prebuilt_names, prebuilt_sections
from tests.dlae_client.conftest import Outcome, Run


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `dlae-client prebuilt` where no server answers."""
    monkeypatch.setenv("DLAE_SERVER", "localhost:1")

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["dlae-client", "prebuilt", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Outcome(code, told.out, told.err)

    return command


def test_the_list_has_a_row_per_network(offline: Run) -> None:
    done = offline("list")
    lines = done.out.splitlines()
    assert (done.code, done.err, len(lines)) == (0, "", 62)
    assert lines[1].split()[:8] == ["lenet5", "CNN", "32", "x", "32", "x", "1", "LeNet-5"]


@pytest.mark.parametrize("arguments", [("list", "--json"), ("--json", "list")])
def test_the_document_of_the_list(offline: Run, arguments: tuple[str, ...]) -> None:
    rows = offline(*arguments).document["prebuilt"]
    assert [row["name"] for row in rows] == list(prebuilt_names())
    assert rows[0] == {
        "name": "lenet5",
        "model": "CNN",
        "input_shape": [32, 32, 1],
        "summary": "LeNet-5 (LeCun et al. 1998)",
        "notes": [],
    }


@pytest.mark.parametrize("name", ["unet3d", "cyclegan", "ssd"])
def test_what_is_shown_is_the_complete_configuration(offline: Run, name: str) -> None:
    done = offline("show", name)
    recipe = read_config(json.dumps(prebuilt_sections(name))).config
    reading = read_config(done.out)
    assert (done.code, reading.violations) == (0, ())
    assert reading.config == resolve_config(recipe)
    assert set(done.document["paths"].values()) == {""}


def test_shape_and_classes_are_taken(offline: Run) -> None:
    shown = offline("show", "unet2d", "--input-shape", "(64, 96, 3)", "--classes", 5).document
    assert shown["config_file"]["input_shape"] == [64, 96, 3]
    assert shown["preprocessing"]["categories"] == 5
    bare = offline("show", "unet2d", "--input-shape", "64, 96, 3", "--classes", 5).document
    assert bare == shown


def test_notes_are_told_beside_the_configuration(offline: Run) -> None:
    done = offline("show", "alexnet")
    assert done.err.startswith("note: C23: ")
    assert done.document["layers"]["serial_layer_list"][-1] == "Activation:softmax"


def test_a_file_is_written_whole_and_not_over_another(offline: Run, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    done = offline("show", "unet2d", "-o", path)
    assert (done.code, done.out) == (0, f"wrote {path}\n")
    first = path.read_text()
    assert first == offline("show", "unet2d").out
    refused = offline("show", "lenet5", "-o", path)
    assert refused.code == 1
    assert "already; choose another name or use --force" in refused.err
    assert path.read_text() == first
    done = offline("show", "lenet5", "-o", path, "--force", "--json")
    assert done.document == {"prebuilt": "lenet5", "path": str(path)}
    assert path.read_text() == offline("show", "lenet5").out
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_told(offline: Run, tmp_path: Path) -> None:
    done = offline("show", "unet2d", "-o", tmp_path / "none" / "net.json")
    assert done.code == 1
    assert done.err.startswith("error: cannot write ")


def test_an_unknown_name_is_a_mistake_in_the_command(offline: Run) -> None:
    done = offline("show", "unet2", "--json")
    assert done.code == 2
    assert done.err.strip().endswith("got 'unet2'; did you mean 'unet2d'?")
    assert done.document["error"]["reason"] == "UNKNOWN_PREBUILT"


def test_a_shape_that_cannot_be_read_is_a_mistake_in_the_command(offline: Run) -> None:
    done = offline("show", "unet2d", "--input-shape", "big")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --input-shape: expected ")


def test_a_shape_that_does_not_suit_is_refused_with_the_nearest(offline: Run) -> None:
    done = offline("show", "unet2d", "--input-shape", "(250, 250, 1)", "--json")
    assert done.code == 3
    assert "the nearest shape that suits is (256, 256, 1)" in done.err
    (row,) = done.document["violations"]
    assert (row["path"], row["reason"]) == ("config_file.input_shape", "UNSUITABLE_SHAPE")
