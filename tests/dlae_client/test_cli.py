"""The command line: documents, texts, exit codes."""

import getpass
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlae_client import Client
from dlae_client.cli.main import COMMANDS
from dlae_core.data.source import SampleFile, write_samples
from tests.dlae_client.conftest import Run
from tests.dlae_client.fake_jobs import MISTAKES
from tests.dlae_client.fakes import FILES, FakeServer, config_text

ROWS = [{"path": path, "reason": reason, "message": text} for path, reason, text in MISTAKES]


def _epochs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("epoch")]


@pytest.mark.parametrize("command", ["validate", "train"])
def test_every_mistake_is_a_line_and_a_row(run: Run, config: Path, command: str) -> None:
    config.write_text('{"broken": true}')
    done = run(command, config)
    assert (done.code, done.out) == (3, "")
    for path, _, text in MISTAKES:
        assert f"{path}: {text}" in [line.strip() for line in done.err.splitlines()]
    told = run(command, config, "--json")
    assert told.code == 3
    assert (told.document["valid"], told.document["violations"]) == (False, ROWS)
    assert told.document["warnings"] == []


def test_training_is_shown_epoch_by_epoch(run: Run, config: Path) -> None:
    done = run("train", config)
    assert done.code == 0
    assert done.out == "tissue-study@1\n"
    assert _epochs(done.err) == [
        f"epoch {number}/2  loss 0.410  val_dice 0.820  1.2 s" for number in (1, 2)
    ]
    assert "\x1b" not in done.err


def test_the_document_of_train_and_watch(run: Run, config: Path) -> None:
    expected = {
        "job": "tissue-0",
        "name": "tissue",
        "kind": "unspecified",
        "project": "",
        "state": "SUCCEEDED",
        "model": "tissue@1",
        "metrics": {"loss": 0.41, "val_dice": 0.82},
        "user": getpass.getuser(),
        "priority": 0,
        "labels": {},
    }
    told = run("train", config, "--name", "tissue", "--json").document
    created = told.pop("created")
    assert told == expected
    assert run("watch", "tissue-0", "--json").document == {**expected, "created": created}


def test_a_detached_job_goes_on_alone(run: Run, config: Path, server: FakeServer) -> None:
    done = run("train", config, "--name", "endless", "--detach", "--json")
    assert done.code == 0
    assert done.document["job"] == "endless-0"
    assert run("status", "endless-0").out.splitlines()[1].split() == ["state", "RUNNING"]


def test_a_failed_job_is_exit_7_and_its_error_in_the_document(run: Run, config: Path) -> None:
    done = run("train", config, "--name", "failing", "--json")
    assert done.code == 7
    assert done.document["state"] == "FAILED"
    error = {"reason": "TRAINING_DIVERGED", "message": "the loss is NaN"}
    assert done.document["error"] == error
    assert done.err.splitlines()[-1] == "error: job failing-0 failed: the loss is NaN"


def test_a_cancelled_job_is_exit_8(run: Run, config: Path) -> None:
    run("train", config, "--name", "endless", "--detach")
    assert run("cancel", "endless-0", "--json").document["state"] == "CANCELLED"
    watched = run("watch", "endless-0", "--json")
    assert (watched.code, watched.document["state"]) == (8, "CANCELLED")
    again = run("cancel", "endless-0", "--json")
    assert (again.code, again.document["error"]["reason"]) == (1, "JOB_FINISHED")


def test_jobs_and_models_are_tables_and_documents(run: Run, config: Path) -> None:
    assert run("status").out == "no jobs yet\n"
    for _ in range(3):
        run("train", config, "--name", "tissue")
    assert [line.split()[0] for line in run("status").out.splitlines()] == [
        "job",
        "tissue-2",
        "tissue-1",
        "tissue-0",
    ]
    assert len(run("status", "--json").document["jobs"]) == 3
    assert run("models").out.splitlines()[1].startswith("tissue@2  FCN     8 x 8 x 1")
    models = run("models", "--json").document["models"]
    assert [model["model"] for model in models] == ["tissue@2", "tissue@1"]


@pytest.mark.parametrize("switch", [True, "True"])
def test_what_the_configuration_wants_saved_is_fetched(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: object
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = {
        "save_model_switch": switch,
        "save_model_path": "out/tissue.h5",
        "save_csv_switch": switch,
        "save_csv_path": "out/log.csv",
        "save_tensorboard_switch": switch,
        "save_tensorboard_path": "out/logs",
    }
    config.write_text(config_text(save_configurations=wanted))
    done = run("train", config, "--name", "tissue")
    assert done.code == 0
    log = tmp_path / "out" / "logs" / "events.out.tfevents.tissue-1"
    assert log.read_bytes() == FILES["events.out.tfevents.dlae"]
    assert (tmp_path / "out" / "tissue.keras").read_bytes() == FILES["model.keras"]
    assert (tmp_path / "out" / "log.csv").read_bytes() == FILES["history.csv"]
    assert "note: models are saved as .keras, not as .h5" in done.err


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("best.keras", "best.keras"),
        ("e{epoch:02d}-{loss:.3f}", "e01-0.500.keras"),
        ("{loss:.1f}.h5", "0.5.keras"),
    ],
)
def test_checkpoints_are_fetched_under_names_with_epoch_and_metrics(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = {"save_checkpoints_switch": True, "save_checkpoints_path": f"out/{pattern}"}
    config.write_text(config_text(save_configurations=wanted))
    assert run("train", config, "--name", "tissue").code == 0
    assert (tmp_path / "out" / name).read_bytes() == FILES["checkpoint-0001.keras"]


def test_what_the_configuration_does_not_want_saved_is_not(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unwanted = {"save_model_switch": "False", "save_model_path": "tissue.keras"}
    config.write_text(config_text(save_configurations=unwanted))
    assert run("train", config, "--name", "tissue").code == 0
    assert list(tmp_path.iterdir()) == [config]


def test_a_model_is_fetched_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "tissue.keras"
    told = run("fetch", "tissue", "-o", path, "--json")
    assert told.document == {"model": "tissue", "path": str(path)}
    again = run("fetch", "tissue", "-o", path, "--json")
    assert (again.code, again.document["error"]["reason"]) == (1, "LOCAL_FILE")
    assert run("fetch", "tissue", "-o", path, "--overwrite").code == 0


def _write(path: Path, shapes: list[tuple[int, ...]]) -> None:
    random = np.random.default_rng(1)
    arrays = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    write_samples(path, ((str(number), array) for number, array in enumerate(arrays)))


def test_every_sample_is_predicted_under_its_name(
    run: Run, server: FakeServer, tmp_path: Path
) -> None:
    images, output = tmp_path / "X.h5", tmp_path / "P.h5"
    _write(images, [(8, 8)] * 5 + [(8, 8, 1)] * 2 + [(8, 8)])
    told = run("predict", "tissue", images, "-o", output, "--batch-size", 4, "--json")
    paths = {"input": str(images), "output": str(output)}
    assert told.document == {"model": "tissue@2", **paths, "samples": 8}
    with SampleFile(images) as sent, SampleFile(output) as predicted:
        assert predicted.names == sent.names
        for name in sent.names:
            np.testing.assert_array_equal(predicted.read(name), 2 * sent.read(name))
    shapes = [shape for _, _, shape in server.prediction.calls]
    assert shapes == [(4, 8, 8), (1, 8, 8), (2, 8, 8, 1), (1, 8, 8)]
    assert {model for _, model, _ in server.prediction.calls} == {"tissue@2"}


def test_batches_are_at_most_32_samples_and_16_mebibytes(
    run: Run, server: FakeServer, tmp_path: Path
) -> None:
    _write(tmp_path / "small.h5", [(2, 2)] * 40)
    _write(tmp_path / "large.h5", [(1024, 1024, 2)] * 3)
    for name in ("small.h5", "large.h5"):
        done = run("predict", "tissue", tmp_path / name, "-o", tmp_path / "P.h5", "--labels")
        assert done.code == 0
    counts = [shape[0] for _, _, shape in server.prediction.calls]
    assert counts == [32, 8, 2, 1]


def test_a_failed_prediction_leaves_the_old_output(
    run: Run, server: FakeServer, tmp_path: Path
) -> None:
    images, output = tmp_path / "X.h5", tmp_path / "P.h5"
    _write(images, [(8, 8)])
    output.write_bytes(b"old")
    done = run("predict", "nobody", images, "-o", output, "--json")
    assert (done.code, done.document["error"]["reason"]) == (4, "MODEL_NOT_FOUND")
    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["P.h5", "X.h5"]


def test_the_input_is_never_the_output(run: Run, tmp_path: Path) -> None:
    images, link = tmp_path / "X.h5", tmp_path / "link.h5"
    _write(images, [(8, 8)])
    before = images.read_bytes()
    link.hardlink_to(images)
    for output in (images, link, tmp_path / ".." / tmp_path.name / "X.h5"):
        done = run("predict", "tissue", images, "-o", output)
        assert (done.code, done.err) == (1, "error: expected an output file other than the input\n")
    assert images.read_bytes() == before


def test_an_unusable_input_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "X.h5").write_text("no HDF5")
    done = run("predict", "tissue", tmp_path / "X.h5", "-o", tmp_path / "P.h5")
    assert done.code == 1
    assert done.err.startswith("error: X.h5: expected an HDF5 file")
    missing = run("predict", "tissue", tmp_path / "no.h5", "-o", tmp_path / "X.h5")
    assert (missing.code, missing.err) == (
        1,
        "error: no.h5: expected an HDF5 file, found no file\n",
    )


def test_errors_are_a_sentence_and_a_document(run: Run, config: Path) -> None:
    done = run("status", "nobody", "--json")
    assert done.code == 4
    assert done.err == "error: there is no job 'nobody'\n"
    error = {"reason": "JOB_NOT_FOUND", "message": "there is no job 'nobody'"}
    assert done.document == {"error": error}
    assert "Traceback" in run("--debug", "status", "nobody").err


def test_the_server_is_named_before_or_after_the_command(run: Run) -> None:
    for arguments in (("--server", "127.0.0.1:1", "status"), ("status", "--server", "127.0.0.1:1")):
        done = run(*arguments)
        assert done.code == 6
        assert done.err.startswith("error: no DLAE server answers at 127.0.0.1:1; start one with")
        assert done.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("fly",), ("fetch", "tissue"), ("status", "--unknown")])
def test_a_wrong_command_line_is_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).code == 2
    told = run(*arguments, "--json")
    assert (told.code, told.document["error"]["reason"]) == (2, "USAGE")


def test_every_command_has_help_and_the_program_a_version(run: Run) -> None:
    listed = run("--help").out
    for name in COMMANDS:
        assert name in listed
        assert "--json" in run(name, "--help").out
    assert run("--version").code == 0


def test_ctrl_c_leaves_the_job_and_says_how_to_come_back(
    server: FakeServer, client: Client, config: Path
) -> None:
    job = client.train(config, "endless")
    command = [sys.executable, "-m", "dlae_client.cli.main", "watch", job.id]
    environment = {**os.environ, "DLAE_SERVER": server.address}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert f"`dlae-client watch {job.id}`" in rest
    assert f"`dlae-client cancel {job.id}`" in rest
    assert "Traceback" not in rest
    assert client.status(job.id).state == job.STATE_RUNNING


def test_the_client_leaves_the_names_of_triton_free() -> None:
    program = (
        "import importlib, json\n"
        "import dlae.arrays, dlae_client, dlae_client.predicting\n"
        "from dlae_client.cli.main import COMMANDS\n"
        "[importlib.import_module(f'dlae_client.cli.{name}') for name in COMMANDS]\n"
        "from google.protobuf import descriptor_pb2, descriptor_pool\n"
        "file = descriptor_pb2.FileDescriptorProto(\n"
        "    name='grpc_service.proto', package='inference', syntax='proto3')\n"
        "file.message_type.add(name='ModelInferRequest').field.add(\n"
        "    name='odd', number=1, type=9, label=1)\n"
        "descriptor_pool.Default().AddSerializedFile(file.SerializeToString())\n"
        "print(json.dumps('free'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == "free"
