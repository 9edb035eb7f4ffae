"""`dlae-client validate`: the dry run as people and programs see it."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_client.offline import steps_per_epoch
from dlae_core.config import Loaded, load_config
from dlae_core.data.source import write_samples
from dlae_core.errors import Violation
from tests.dlae_client.conftest import Run
from tests.dlae_client.fake_jobs import LATER
from tests.dlae_client.fakes import config_text
from tests.sessions import config_text as session_text
from tests.sessions import write_bright_images

KEYS = ["valid", "violations", "warnings", "graphs", "memory_bytes", "seconds_per_step"]
WARNING = {"path": "optimizer.beta_1", "reason": "UNUSED", "message": "not used"}


def _graph() -> dict[str, Any]:
    layer = {"item": 0, "type": "Dense", "output_shape": [2], "parameters": 130}
    size = {"output_shape": [2], "parameters": 130, "trainable_parameters": 128}
    return {"name": "model", **size, "layers": [layer]}


def _session(folder: Path, **changes: Any) -> Path:
    """Writes data and a configuration that trains on them."""
    write_bright_images(folder)
    path = folder / "session.json"
    path.write_text(session_text(folder, **changes))
    return path


def test_layers_totals_memory_and_time_are_shown(run: Run, config: Path) -> None:
    done = run("validate", config)
    assert done.code == 0
    assert done.out.splitlines() == [
        "item  layer  output  weights",
        "0     Dense  2       130",
        "130 weights, 128 of them trainable",
        "",
        "memory  about 3.0 GiB at the peak of training",
        "time    about 0.25 s a step",
        "the configuration is valid",
    ]
    assert done.err == "warning: optimizer.beta_1: not used\n"


def test_the_time_of_an_epoch_is_told_where_the_data_are_here(run: Run, tmp_path: Path) -> None:
    # 16 samples, of which 4 are kept for validation, in batches of 4.
    assert "0.25 s a step, 1 s an epoch of 3 steps" in run("validate", _session(tmp_path)).out


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, 3),
        ({"training_configurations__batch_size": 5}, 3),
        ({"training_configurations__validation_split": 0.0}, 4),
        ({"augmentation__rounds": 2}, 6),
        ({"paths__train_X": "/nowhere/X.h5"}, None),
        ({"training_configurations__batch_size": 0}, None),
    ],
)
def test_steps_are_counted_as_training_counts_them(
    tmp_path: Path, changes: dict[str, Any], steps: int | None
) -> None:
    assert steps_per_epoch(_session(tmp_path, **changes)) == steps


def test_the_document_has_its_keys_and_no_others(run: Run, config: Path) -> None:
    document = run("--json", "validate", config).document
    assert list(document) == KEYS
    assert document == {
        "valid": True,
        "violations": [],
        "warnings": [WARNING],
        "graphs": [_graph()],
        "memory_bytes": 3 << 30,
        "seconds_per_step": 0.25,
    }


def test_networks_are_shown_though_they_cannot_be_trained_yet(run: Run, config: Path) -> None:
    config.write_text(config_text(later=True))
    done = run("validate", config)
    assert done.code == 3
    assert "130 weights" in done.out
    assert "is valid" not in done.out
    assert f"{LATER[0]}: {LATER[2]}" in done.err
    told = run("validate", config, "--json")
    assert (told.code, told.document["graphs"]) == (3, [_graph()])
    assert [row["reason"] for row in told.document["violations"]] == [LATER[1]]


def test_offline_a_good_configuration_is_valid_without_a_server(run: Run, tmp_path: Path) -> None:
    config = _session(tmp_path)
    arguments = ("--server", "127.0.0.1:1", "validate", config, "--offline")
    done = run(*arguments)
    assert (done.code, done.out) == (0, "the configuration is valid\n")
    document = run(*arguments, "--json").document
    assert list(document) == KEYS
    assert (document["valid"], document["violations"], document["graphs"]) == (True, [], [])
    assert (document["memory_bytes"], document["seconds_per_step"]) == (0, 0)


def test_offline_every_mistake_is_told(run: Run, tmp_path: Path) -> None:
    changes = {"optimizer__optimizer": "Adan", "training_configurations__epochs": -1}
    told = run("validate", _session(tmp_path, **changes), "--offline", "--json")
    assert told.code == 3
    assert {row["path"] for row in told.document["violations"]} == {
        "optimizer.optimizer",
        "training_configurations.epochs",
    }


def test_offline_what_cannot_be_trained_yet_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(text: str) -> Loaded:
        return replace(load_config(text), unsupported=(Violation(*LATER),))

    monkeypatch.setattr("dlae_client.offline.load_config", load)
    told = run("validate", _session(tmp_path), "--offline", "--json")
    assert (told.code, told.document["valid"]) == (3, False)
    assert [row["path"] for row in told.document["violations"]] == [LATER[0]]


def _rewrite(path: Path, names: list[str], shape: tuple[int, ...]) -> None:
    write_samples(path, [(name, np.zeros(shape, np.uint8)) for name in names])


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("masks.h5", lambda path: _rewrite(path, ["99"], (8, 8)), "do not pair"),
        ("X.h5", lambda path: path.write_bytes(path.read_bytes()[:-2000]), "truncated"),
        ("masks.h5", lambda path: path.write_text("no HDF5"), "expected an HDF5 file"),
        ("masks.h5", lambda path: _rewrite(path, [str(n) for n in range(16)], (5, 8)), "(5, 8)"),
    ],
    ids=["unpaired", "truncated", "no HDF5", "shape"],
)
def test_offline_the_data_files_of_this_machine_are_checked(
    run: Run, tmp_path: Path, file: str, damage: Any, words: str
) -> None:
    config = _session(tmp_path)
    damage(tmp_path / file)
    told = run("validate", config, "--offline", "--json")
    assert told.code == 3
    rows = told.document["violations"]
    found = {(row["path"], row["reason"]) for row in rows}
    assert found == {("paths.train_X", "UNUSABLE_DATASET")}
    assert any(words in row["message"] for row in rows)


def test_offline_relative_paths_are_those_beside_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _session(tmp_path, paths__train_X="X.h5", paths__train_y="gone.h5")
    monkeypatch.chdir("/")
    told = run("validate", config, "--offline", "--json")
    assert told.code == 0
    found = [row for row in told.document["warnings"] if row["reason"] == "NOT_CHECKED"]
    assert [row["path"] for row in found] == ["paths.train_y"]
    assert "gone.h5" in found[0]["message"]


def test_offline_a_file_that_is_no_json_is_told(run: Run, config: Path) -> None:
    config.write_text("{")
    told = run("validate", config, "--offline", "--json")
    assert (told.code, told.document["valid"]) == (3, False)


def test_the_networks_are_drawn(run: Run, config: Path, tmp_path: Path) -> None:
    target = tmp_path / "graph.svg"
    done = run("validate", config, "--plot", target, "--json")
    assert (done.code, list(done.document)) == (0, KEYS)
    assert f"wrote {target}" in done.err
    text = target.read_text()
    assert "Dense" in text
    assert "Tissue Study: 130 weights, 3.0 GiB, 0.25 s a step" in text


def test_without_networks_nothing_is_drawn(run: Run, config: Path, tmp_path: Path) -> None:
    config.write_text('{"broken": true}')
    target = tmp_path / "graph.png"
    done = run("validate", config, "--plot", target)
    assert (done.code, target.exists()) == (3, False)
    assert "there is no network to draw" in done.err


@pytest.mark.parametrize("arguments", [("--plot", "graph.pdf"), ("--plot", "g.png", "--offline")])
def test_a_drawing_that_cannot_be_made_is_a_wrong_command_line(
    run: Run, config: Path, arguments: tuple[str, ...]
) -> None:
    told = run("validate", config, *arguments, "--json")
    assert (told.code, told.document["error"]["reason"]) == (2, "USAGE")


def test_without_matplotlib_it_says_what_to_install(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("validate", config, "--plot", tmp_path / "graph.png")
    assert done.code == 2
    assert done.err == ("error: drawing needs matplotlib; `pip install 'dlae[plot]'` installs it\n")
    assert run("validate", config).code == 0


def test_json_documents_can_be_read_again(run: Run, config: Path) -> None:
    assert json.loads(run("validate", config, "--json").out)["valid"]
