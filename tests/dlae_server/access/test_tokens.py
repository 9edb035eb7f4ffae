"""Tokens: made, kept as hashes, asked for, expired and revoked."""

import http.client
import json
import logging
import stat
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner

from dlae.v1 import models_pb2, training_pb2
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from dlae_core.errors import CorruptArtifact
from dlae_server import calls
from dlae_server.access.guard import CALLER, Caller, Guard, caller_or
from dlae_server.access.tokens import TOKENS_FILE, create, read_grants, revoke
from dlae_server.errors import (
    CannotStart,
    CredentialsExpired,
    CredentialsMissing,
    InvalidRequest,
    PermissionDenied,
    TokenInvalid,
)
from dlae_server.main import main
from dlae_server.models.signature import signed
from tests.certificates import Authority
from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of
from tests.sessions import config_text

LIST = "/dlae.v1.TrainingService/ListJobs"


def bearer(token: str) -> str:
    return f"Bearer {token}"


def test_a_token_is_shown_once_and_kept_as_a_hash_by_the_owner_alone(tmp_path: Path) -> None:
    grant, token = create(tmp_path, "anna", "trainer")
    assert len(token.split("_", 2)[2]) == 43  # 256 bits, six in a character
    text = (tmp_path / TOKENS_FILE).read_text()
    assert token not in text
    assert token.split("_", 2)[2] not in text
    assert stat.S_IMODE((tmp_path / TOKENS_FILE).stat().st_mode) == 0o600
    assert read_grants(tmp_path) == [grant]


def test_without_tokens_all_is_open_and_the_first_token_closes_it(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    assert guard.admit(LIST, None) == Caller("", "admin")
    token = create(tmp_path, "anna", "viewer")[1]
    with pytest.raises(CredentialsMissing):
        guard.admit(LIST, None)
    assert guard.admit(LIST, bearer(token)) == Caller("anna", "viewer")
    revoke(tmp_path, "anna")
    with pytest.raises(TokenInvalid):
        guard.admit(LIST, bearer(token))
    # A list that vanishes opens nothing.
    (tmp_path / TOKENS_FILE).unlink()
    with pytest.raises(CredentialsMissing):
        guard.admit(LIST, None)


def test_required_tokens_are_asked_for_though_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(CredentialsMissing):
        Guard(tmp_path, required=True).admit(LIST, None)


def test_a_damaged_list_lets_nobody_in(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "admin")[1]
    guard = Guard(tmp_path)
    guard.admit(LIST, bearer(token))
    (tmp_path / TOKENS_FILE).write_text("{")
    for _ in range(2):
        with pytest.raises(CorruptArtifact):
            guard.admit(LIST, bearer(token))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic x",
        "Bearer dlae",
        "Bearer dlae__",
        "Bearer ID",
        "Bearer TOKENx",
    ],
)
def test_what_is_no_token_of_this_server_is_refused(tmp_path: Path, given: str) -> None:
    grant, token = create(tmp_path, "anna", "admin")
    given = given.replace("ID", f"dlae_{grant.id}_").replace("TOKEN", token)
    with pytest.raises((TokenInvalid, CredentialsMissing)):
        Guard(tmp_path).admit(LIST, given)


def test_a_token_expires(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    token = create(tmp_path, "anna", "admin", days=1)[1]
    guard.admit(LIST, bearer(token))
    late = create(tmp_path, "ben", "admin", days=0)[1]
    with pytest.raises(CredentialsExpired):
        guard.admit(LIST, bearer(late))


def test_a_scope_is_no_larger_than_it_was_made(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "viewer")[1]
    with pytest.raises(PermissionDenied, match=r"'trainer' for Train, got 'anna'.*'viewer'"):
        Guard(tmp_path).admit("/dlae.v1.TrainingService/Train", bearer(token))


def test_a_name_has_one_token_at_a_time_and_a_certificate_beside_it(tmp_path: Path) -> None:
    create(tmp_path, "anna", "viewer")
    with pytest.raises(InvalidRequest, match="already"):
        create(tmp_path, "anna", "admin")
    create(tmp_path, "anna", "admin", certificate=True)
    assert [one.state for one in revoke(tmp_path, "anna")] == ["revoked", "revoked"]
    create(tmp_path, "anna", "viewer")
    with pytest.raises(InvalidRequest, match="no token 'ben'"):
        revoke(tmp_path, "ben")


def test_the_commands_show_a_token_once(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "token", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    token = run("create", "anna", "--scope", "trainer", "--expires", "30").strip()
    (row,) = json.loads(run("list", "--json"))["tokens"]
    assert (row["name"], row["scope"], row["state"]) == ("anna", "trainer", "valid")
    assert Guard(tmp_path).admit(LIST, bearer(token)).name == "anna"
    assert token not in run("list")
    assert run("revoke", row["id"]) == f"revoked {row['id']} of anna\n"
    assert "revoked" in run("list")
    made = json.loads(run("create", "node-3", "--scope", "predictor", "--certificate", "--json"))
    assert "token" not in made


def test_who_has_proved_who_they_are_signs_as_nobody_else() -> None:
    assert caller_or("mallory") == "mallory"
    token = CALLER.set(Caller("anna", "trainer"))
    try:
        assert caller_or("mallory") == "anna"
        assert signed("mallory", "").who == "anna"
    finally:
        CALLER.reset(token)


def test_a_running_server_knows_new_tokens_and_revocations_at_once_and_logs_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(tmp_path) as facts, grpc.insecure_channel(facts["listen"]) as channel:
        call = channel.unary_unary(LIST, training_pb2.ListJobsRequest.SerializeToString)
        request = training_pb2.ListJobsRequest()
        call(request)
        token = create(tmp_path, "anna", "viewer")[1]
        metadata = (("authorization", bearer(token)),)
        call(request, metadata=metadata)
        revoke(tmp_path, "anna")
        for given in (metadata, ()):
            with pytest.raises(grpc.RpcError) as caught:
                call(request, metadata=given)
            assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
            assert token not in caught.value.details()
    assert "by anna" in caplog.text
    assert token.split("_", 2)[2] not in caplog.text


def test_an_alias_is_moved_in_the_name_of_the_token(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "trainer")[1]
    with serving(tmp_path) as facts, grpc.insecure_channel(facts["listen"]) as channel:
        call = channel.unary_unary(
            "/dlae.v1.ModelService/SetAlias", models_pb2.SetAliasRequest.SerializeToString
        )
        # Names of callers are not checked where one is proved: this one would be too long.
        request = models_pb2.SetAliasRequest(model="m@1", alias="a", who="x" * 200)
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=(("authorization", bearer(token)),))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_other_machines_are_served_with_tls_and_a_token_only(tmp_path: Path) -> None:
    everywhere = {"listen": "0.0.0.0:0"}
    with pytest.raises(CannotStart, match="--tls-certificate"), serving(tmp_path, **everywhere):
        pass
    pair = Authority(tmp_path / "ca").signs("server")
    tls = {"tls_certificate": pair[0], "tls_key": pair[1]}
    folder = tmp_path / "data"
    with pytest.raises(CannotStart, match="token create"), serving(folder, **everywhere, **tls):
        pass
    assert not folder.exists()
    create(folder, "anna", "admin")
    with serving(folder, **everywhere, **tls, metrics_port=0) as facts:
        assert facts["listen"].startswith("0.0.0.0:")


def test_http_asks_for_tokens_as_well(tmp_path: Path) -> None:
    tokens = {scope: create(tmp_path, scope, scope)[1] for scope in ("viewer", "predictor")}
    with serving(tmp_path, rest_address="127.0.0.1:0") as facts:

        def status(method: str, path: str, token: str = "") -> int:
            connection = http.client.HTTPConnection(facts["rest"], timeout=10)
            headers = {"Authorization": bearer(token)} if token else {}
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            assert (answer.status == 401) == ("www-authenticate" in answer.headers)
            return answer.status

        assert status("GET", "/v2/health/live") == 200
        assert status("GET", "/v2") == 401
        assert status("GET", "/v2", "dlae_0_x") == 401
        assert status("GET", "/v2", tokens["viewer"]) == 403
        assert status("GET", "/v2", tokens["predictor"]) == 200
        # Before anything is looked up: neither model is there.
        assert status("POST", "/v2/repository/models/m/load", tokens["predictor"]) == 403
        assert status("GET", "/v2/models/m", tokens["predictor"]) == 404


def data_files(folder: Path, behaviour: str) -> Path:
    """Writes what a training is asked to read, and how the fake is to behave."""
    folder.mkdir()
    for name in ("X.h5", "masks.h5", "classes.h5"):
        (folder / name).touch()
    (folder / "behaviour").write_text(behaviour)
    return folder


@pytest.mark.slow
def test_a_job_belongs_to_whom_the_token_names(tmp_path: Path) -> None:
    data, server = data_files(tmp_path / "data", "succeed"), tmp_path / "server"
    anna, ben = (
        (("authorization", bearer(create(server, name, "trainer")[1])),) for name in ("anna", "ben")
    )
    with (
        serving(server, data_roots=(data,)) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        stub = TrainingServiceStub(channel)
        options = training_pb2.JobOptions(user="mallory", request_id="1")
        config = training_pb2.ConfigSource(json=config_text(data))
        request = training_pb2.TrainRequest(config=config, name="m", options=options)
        made = stub.Train(request, metadata=anna).job
        again = stub.Train(request, metadata=anna).job
        with pytest.raises(grpc.RpcError) as caught:
            stub.Train(request, metadata=ben)
    assert made.options.user == "anna"
    assert again.id == made.id
    assert reason_of(caught.value) == "REQUEST_ID_IN_USE"


@pytest.mark.slow
def test_a_stream_under_way_ends_when_its_token_is_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "RECHECK_SECONDS", 0.0)
    data, server = data_files(tmp_path / "data", "wait"), tmp_path / "server"
    metadata = (("authorization", bearer(create(server, "anna", "trainer")[1])),)
    with (
        serving(server, data_roots=(data,), heartbeat_seconds=0.1) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        stub = TrainingServiceStub(channel)
        config = training_pb2.ConfigSource(json=config_text(data))
        job = stub.Train(training_pb2.TrainRequest(config=config, name="m"), metadata=metadata).job
        stream = stub.Watch(training_pb2.WatchRequest(job_id=job.id), metadata=metadata, timeout=20)
        next(stream)
        next(stream)
        revoke(server, "anna")
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
    assert reason_of(caught.value) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--listen", "0.0.0.0:0"], "--tls-certificate and --tls-key"),
        (["--tls-certificate", "server.pem"], "together"),
        (["--tls-client-ca", "ca.pem"], "together"),
        (["--tls-certificate", "none.pem", "--tls-key", "none.key"], "none.pem"),
        (["--require-tokens"], "token create"),
    ],
)
def test_the_command_says_in_one_sentence_what_is_missing(
    tmp_path: Path, options: list[str], expected: str
) -> None:
    place = ["--data-dir", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--no-metrics"]
    done = CliRunner().invoke(main, [*place, *options])
    assert (done.exit_code, expected in done.output) == (1, True), done.output
    assert len(done.output.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "change",
    [{"expires": ""}, {"scope": "emperor"}, {"name": 7}, {"projects": [None]}, {"created": None}],
)
def test_a_list_with_a_grant_that_is_none_lets_nobody_in(
    change: dict[str, object], tmp_path: Path
) -> None:
    create(tmp_path, "anna", "trainer")
    path = tmp_path / TOKENS_FILE
    kept = json.loads(path.read_text())
    kept["grants"][0] |= change
    path.write_text(json.dumps(kept))
    with pytest.raises(CorruptArtifact, match="nobody is let in"):
        read_grants(tmp_path)
