"""Jobs by the client and its command line: options, filters, pauses, logs, deletion."""

import getpass
import io
from pathlib import Path

import pytest

from dlae_client import Client, FailedPrecondition, JobOptions, NotFound
from tests.dlae_client.conftest import Run
from tests.dlae_client.fake_jobs import LOG
from tests.dlae_client.fakes import FakeServer


def test_every_submission_has_a_request_id_of_its_own_and_a_user(
    client: Client, server: FakeServer
) -> None:
    for _ in range(2):
        client.train({}, "tissue")
    first, second = (request.options for request in server.training.requests)
    assert first.request_id != second.request_id
    assert len(first.request_id) == 32
    assert first.user == second.user == getpass.getuser()


def test_options_that_are_given_are_sent(client: Client, server: FakeServer) -> None:
    given = JobOptions(priority=3, user="ann", request_id="mine", labels={"study": "1"})
    job = client.train({}, "tissue", given)
    assert server.training.requests[-1].options == given
    assert job.options == given


def test_train_sends_what_its_options_say(run: Run, config: Path, server: FakeServer) -> None:
    words = "--priority 5 --label study=1 --label fold=a=b --cores 2 --gpus 1 --machines 3"
    limits = "--time-limit 1.5h --memory-limit 8G --name tissue --detach --request-id r1"
    assert run("train", config, *words.split(), *limits.split()).code == 0
    options = server.training.requests[-1].options
    assert dict(options.labels) == {"study": "1", "fold": "a=b"}
    assert (options.priority, options.cores, options.gpus, options.request_id) == (5, 2, 1, "r1")
    assert (options.time_limit_seconds, options.memory_limit_bytes) == (5400, 8 << 30)
    assert options.machines == 3
    shown = run("jobs", "show", "tissue-0").out
    for line in ("labels     fold=a=b, study=1", "time       at most 1 h 30 min", "memory"):
        assert line in shown


@pytest.mark.parametrize(
    "wrong",
    [("--time-limit", "90"), ("--memory-limit", "8GB"), ("--label", "x"), ("--priority", "101")],
)
def test_options_that_are_no_options_are_exit_2(
    run: Run, config: Path, wrong: tuple[str, str]
) -> None:
    done = run("train", config, *wrong)
    assert done.code == 2
    assert "expected" in done.err or "range" in done.err


def test_filters_of_a_list_are_sent(run: Run, config: Path, server: FakeServer) -> None:
    run("train", config, "--name", "tissue", "--detach")
    words = "--state queued --state failed --name m --user ann --label study=1"
    run("jobs", "list", *words.split())
    asked = server.training.asked
    assert [asked.name, asked.user, dict(asked.labels)] == ["m", "ann", {"study": "1"}]
    assert list(asked.states) == [1, 5]
    assert run("jobs").out == run("status").out == run("jobs", "list").out


def test_a_job_is_paused_resumed_cancelled_and_deleted(run: Run, config: Path) -> None:
    run("train", config, "--name", "endless", "--detach")
    assert run("jobs", "pause", "endless-0").out == "endless-0 PAUSED\n"
    assert run("jobs", "resume", "endless-0", "--json").document["state"] == "QUEUED"
    refused = run("jobs", "delete", "endless-0", "--yes", "--json")
    assert refused.document["error"]["reason"] == "JOB_BUSY"
    assert run("jobs", "cancel", "endless-0").out == "endless-0 CANCELLED\n"
    assert run("jobs", "delete", "endless-0", "--yes").out == "deleted endless-0\n"
    assert run("jobs", "show", "endless-0").code == 4


def test_deleting_asks_first(run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("train", config, "--name", "tissue")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("jobs", "delete", "tissue-0").code == 130
    assert run("jobs", "show", "tissue-0").code == 0


def test_a_log_comes_whole_whatever_its_pieces(run: Run, config: Path, client: Client) -> None:
    run("train", config, "--name", "tissue")
    assert run("jobs", "logs", "tissue-0").out == LOG.decode()
    assert run("jobs", "logs", "tissue-0", "--follow").out == LOG.decode()
    assert run("jobs", "logs", "tissue-0", "--json").document["log"] == LOG.decode()
    assert b"".join(client.logs("tissue-0")) == LOG
    with pytest.raises(NotFound):
        list(client.logs("nobody"))


def test_the_client_does_all_of_it(client: Client) -> None:
    job = client.train({}, "endless")
    assert client.pause(job.id).state == job.STATE_PAUSED
    assert client.resume(job.id).state == job.STATE_QUEUED
    with pytest.raises(FailedPrecondition, match="has not ended"):
        client.delete_job(job.id)
    client.cancel(job.id)
    assert client.delete_job(job.id).id == job.id
    assert [one.id for one in client.jobs(["STATE_QUEUED"], "m", "ann", {"a": "b"})] == []
