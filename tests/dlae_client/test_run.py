"""`dlae-client run`: trainings and inference sessions, and their predictions."""

import getpass
import json
from pathlib import Path

import pytest

from dlae_client import Client, NotFound
from dlae_client.configuration import config_source
from tests.dlae_client.conftest import Run
from tests.dlae_client.fake_jobs import PREDICTIONS
from tests.dlae_client.fakes import FakeServer


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A configuration of an inference session."""
    return _session(tmp_path)


def _session(folder: Path, **more: object) -> Path:
    path = folder / "case.json"
    sections = {
        "config_file": {"type_signal": " Inference"},
        "paths": {"load_model": "tissue", "test_X": "X.h5"},
    }
    path.write_text(json.dumps(sections | more))
    return path


def test_predictions_come_to_the_folder_of_the_configuration(run: Run, session: Path) -> None:
    done = run("run", session)
    path = session.parent / "predictions.h5"
    assert (done.code, done.out) == (0, f"{path}\n")
    assert path.read_bytes() == PREDICTIONS
    assert "predicting 10 samples with a FCN, by openvino" in done.err
    assert sorted(one.name for one in session.parent.iterdir()) == ["case.json", "predictions.h5"]


def test_the_document_names_job_and_file(run: Run, session: Path, tmp_path: Path) -> None:
    path = tmp_path / "other" / "p.h5"
    assert run("run", session, "-o", path, "--json").document == {
        "job": "case-0",
        **{"name": "case", "kind": "inference", "project": "", "created": "1970-01-01T00:00:00Z"},
        "state": "SUCCEEDED",
        "model": "tissue@1",
        "metrics": {},
        **{"user": getpass.getuser(), "priority": 0, "labels": {}},
        "results": ["predictions.h5"],
        "path": str(path),
    }
    assert path.read_bytes() == PREDICTIONS


def test_predictions_that_are_there_are_replaced_on_request_only(
    run: Run, session: Path, server: FakeServer
) -> None:
    path = session.parent / "predictions.h5"
    path.write_text("mine")
    done = run("run", session)
    assert done.code == 1
    assert "exists already" in done.err
    assert server.training.jobs == {}
    assert run("run", session, "--overwrite").code == 0
    assert path.read_bytes() == PREDICTIONS


def test_old_names_are_in_nobodys_way(run: Run, tmp_path: Path, server: FakeServer) -> None:
    session = _session(tmp_path, save_configurations={"legacy_predictions_switch": "True"})
    (tmp_path / "predictions.h5").write_text("mine")
    # The fake knows the new name only.
    assert run("run", session).code == 1
    assert len(server.training.jobs) == 1


def test_what_is_detached_is_watched_and_fetched_later(
    run: Run, session: Path, tmp_path: Path
) -> None:
    job = run("run", session, "--detach").out.strip()
    assert run("watch", job).out == f"job:{job}\n"
    shown = run("status", job).out
    assert "10/10 samples" in shown
    assert "predictions.h5" in shown
    path = tmp_path / "later.h5"
    assert run("fetch", f"job:{job}", "-o", path).code == 0
    assert path.read_bytes() == PREDICTIONS
    # In a folder it keeps its name.
    assert run("fetch", f"job:{job}", "-o", tmp_path).code == 0
    assert (tmp_path / "predictions.h5").read_bytes() == PREDICTIONS


def test_a_training_has_no_predictions(run: Run, config: Path, client: Client) -> None:
    assert run("run", config).out == "tissue-study@1\n"
    with pytest.raises(NotFound):
        client.fetch_result("tissue-study-0", config.parent)
    refused = run("run", config, "-o", "p.h5")
    assert refused.code == 2
    assert "expected an inference session" in refused.err


def test_a_model_is_named_and_a_file_beside_the_configuration_found(tmp_path: Path) -> None:
    (tmp_path / "old.h5").touch()
    (tmp_path / "fetched").mkdir()
    given = ("tissue", "tissue@2", "tissue@best", "model:tissue", "old.h5", "fetched", "a/b")
    sent = []
    for text in given:
        source = _session(tmp_path, paths={"load_model": text})
        sent.append(json.loads(config_source(source).json)["paths"]["load_model"])
    here = [str(tmp_path / name) for name in ("old.h5", "fetched", "a/b")]
    assert sent == [*given[:4], *here]
