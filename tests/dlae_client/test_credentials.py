"""Credentials of the client: found, kept to themselves, and used against a real server."""

from pathlib import Path

import pytest

from dlae_client import Client, ClientError, Credentials, InvalidRequest, LocalFileError
from dlae_client.credentials import read_token
from dlae_client.targets import find_target
from dlae_server.access.tokens import create, revoke
from tests.certificates import Authority
from tests.dlae_client.conftest import Run
from tests.dlae_server.inside import serving

TOKEN = "dlae_00000000_secret"
ELSEWHERE = "dlae.example:50051"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    for name in ("TOKEN", "TLS_CA", "CLIENT_CERTIFICATE", "CLIENT_KEY", "CONTEXT", "PROJECT"):
        monkeypatch.delenv(f"DLAE_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def context(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "config" / "dlae" / "context.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_what_is_given_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_target(ELSEWHERE).credentials == Credentials()
    context(tmp_path, f'server = "{ELSEWHERE}"\ntoken = "file"\ntls_ca = "/file.pem"\ntls = true')
    assert find_target().server == ELSEWHERE
    assert find_target(ELSEWHERE).credentials == Credentials("file", True, Path("/file.pem"))
    monkeypatch.setenv("DLAE_TOKEN", "environment\n")
    monkeypatch.setenv("DLAE_TLS_CA", "/environment.pem")
    found = find_target(ELSEWHERE).credentials
    assert (found.token, found.tls_ca) == ("environment", Path("/environment.pem"))
    found = find_target(ELSEWHERE, credentials=Credentials("given")).credentials
    assert (found.token, found.tls_ca) == ("given", Path("/environment.pem"))


def test_the_token_of_the_context_is_for_its_server_only(tmp_path: Path) -> None:
    context(tmp_path, f'server = "{ELSEWHERE}"\ntoken = "{TOKEN}"\ntls = true')
    assert find_target("other.example:50051").credentials == Credentials()


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        (f'token = "{TOKEN}"', 0o640, "chmod 600"),
        (f'token = "{TOKEN}"\nx', 0o600, "TOML"),
        (f'tokens = "{TOKEN}"', 0o600, "'tokens'"),
        ("tls_ca = 1", 0o600, "'tls_ca'"),
        ('token = "two words"', 0o600, "context file"),
    ],
)
def test_a_context_that_is_wrong_is_refused_without_quoting_it(
    tmp_path: Path, text: str, mode: int, expected: str
) -> None:
    context(tmp_path, text, mode)
    with pytest.raises(LocalFileError, match=expected) as caught:
        find_target(ELSEWHERE)
    assert "secret" not in str(caught.value)


def test_a_token_goes_to_other_machines_with_tls_only() -> None:
    with pytest.raises(InvalidRequest, match="TLS") as caught:
        Client(ELSEWHERE, credentials=Credentials(TOKEN))
    assert caught.value.reason == "TOKEN_WITHOUT_TLS"
    assert "secret" not in f"{caught.value} {Credentials(TOKEN)!r}"
    for server in ("127.0.0.1:1", "localhost:1", "[::1]:1"):
        Client(server, credentials=Credentials(TOKEN)).close()
    Client(ELSEWHERE, credentials=Credentials(TOKEN, tls=True)).close()
    # It looks like this machine, and is a name that anybody may own.
    with pytest.raises(InvalidRequest):
        Client("127.0.0.1.example:1", credentials=Credentials(TOKEN))


def test_no_proxy_comes_between_a_client_and_its_own_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    token = create(tmp_path / "data", "anna", "viewer")[1]
    with (
        serving(tmp_path / "data") as facts,
        Client(facts["listen"], credentials=Credentials(token)) as client,
    ):
        assert list(client.jobs()) == []


def test_a_file_without_a_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "missing"):
        with pytest.raises(LocalFileError, match=name):
            read_token(tmp_path / name)


def test_the_command_line_proves_who_it_is_and_tells_what_is_wrong(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, folder = Authority(tmp_path), tmp_path / "data"
    token = create(folder, "anna", "viewer")[1]
    (tmp_path / "token").write_text(f"{token}\n")
    certificate, key = authority.signs("server")
    with serving(folder, tls_certificate=certificate, tls_key=key) as facts:
        monkeypatch.setenv("DLAE_SERVER", facts["listen"])
        tls = ("--tls-ca", authority.path)
        done = run(*tls, "--token-file", tmp_path / "token", "--json", "status")
        assert (done.code, done.document) == (0, {"jobs": []}), done.err
        done = run(*tls, "--json", "status")
        assert (done.code, done.document["error"]["reason"]) == (5, "CREDENTIALS_MISSING")
        monkeypatch.setenv("DLAE_TOKEN", token)
        monkeypatch.setenv("DLAE_TLS_CA", str(authority.path))
        assert run("status").code == 0
        done = run("--json", "cancel", "job")
        assert (done.code, done.document["error"]["reason"]) == (5, "PERMISSION_DENIED")
        # Streams carry the token as well.
        assert run("watch", "job").code == 4
        revoke(folder, "anna")
        done = run("--debug", "status")
        assert done.code == 5
        assert token not in done.err + done.out
        monkeypatch.delenv("DLAE_TLS_CA")
        done = run("status")
        assert (done.code, "--tls-ca" in done.err) == (6, True)


@pytest.mark.parametrize(
    ("name", "hosts", "days", "expected"),
    [
        ("late", ("127.0.0.1",), -1.0, "has expired"),
        ("named", ("dlae.example",), 1.0, "another name"),
    ],
)
def test_a_server_that_cannot_be_believed_is_not_talked_to(
    tmp_path: Path, name: str, hosts: tuple[str, ...], days: float, expected: str
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.signs(name, hosts, days)
    with serving(tmp_path / "data", tls_certificate=certificate, tls_key=key) as facts:
        for ca, told in (
            (authority.path, expected),
            (Authority(tmp_path, "stranger").path, "somebody else"),
        ):
            with (
                Client(facts["listen"], credentials=Credentials(tls_ca=ca)) as client,
                pytest.raises(ClientError, match=told) as caught,
            ):
                list(client.jobs())
            assert (caught.value.exit_code, caught.value.reason) == (6, "UNREACHABLE")


def test_the_help_of_every_option_says_where_else_it_comes_from(run: Run) -> None:
    told = run("--help").out
    for name in ("DLAE_TOKEN", "DLAE_TLS_CA", "DLAE_CLIENT_CERTIFICATE", "DLAE_CLIENT_KEY"):
        assert name in told
    assert "--token " not in told
