"""HTTP with TLS: elsewhere too, with certificates that are renewed, and bounds as gRPC has."""

import http.client
import ssl
from pathlib import Path

import pytest

from dlae_server.access.tokens import create
from dlae_server.errors import CannotStart
from tests.certificates import Authority
from tests.dlae_server.inside import serving


def answer(
    address: str, ca: Path, token: str, pair: tuple[Path, Path] | None = None
) -> tuple[int, str]:
    """Asks what the server is; returns the status, and when its certificate ends."""
    context = ssl.create_default_context(cafile=str(ca))
    if pair:
        context.load_cert_chain(*pair)
    port = int(address.rpartition(":")[2])
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request("GET", "/v2", headers={"Authorization": f"Bearer {token}"})
        ends = str(connection.sock.getpeercert()["notAfter"])
        return connection.getresponse().status, ends
    finally:
        connection.close()


def test_other_machines_are_served_with_tls_and_a_token_only(tmp_path: Path) -> None:
    folder, everywhere = tmp_path / "data", {"rest_address": "0.0.0.0:0"}
    with pytest.raises(CannotStart, match="--tls-certificate"), serving(folder, **everywhere):
        pass
    authority = Authority(tmp_path / "ca")
    pair = authority.signs("server")
    tls = {"tls_certificate": pair[0], "tls_key": pair[1]}
    with pytest.raises(CannotStart, match="token create"), serving(folder, **everywhere, **tls):
        pass
    token = create(folder, "anna", "predictor")[1]
    stranger = Authority(tmp_path / "other", "stranger")
    with serving(folder, **everywhere, **tls) as facts:
        status, ends = answer(facts["rest"], authority.path, token)
        assert status == 200
        assert answer(facts["rest"], authority.path, "dlae_0_x")[0] == 401
        with pytest.raises(ssl.SSLCertVerificationError):
            answer(facts["rest"], stranger.path, token)
        plain = http.client.HTTPConnection("127.0.0.1", int(facts["rest"][8:]), timeout=10)
        plain.request("GET", "/v2")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain.getresponse()
        plain.close()
        authority.signs("server", days=5)
        renewed = answer(facts["rest"], authority.path, token)
        assert renewed[0] == 200
        assert renewed[1] != ends
        pair[0].write_text("nothing")
        assert answer(facts["rest"], authority.path, token) == renewed


def test_where_clients_have_certificates_nobody_connects_without(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pair, client = authority.signs("server"), authority.signs("node", hosts=())
    tls = {"tls_certificate": pair[0], "tls_key": pair[1], "tls_client_ca": authority.path}
    token = create(tmp_path / "data", "anna", "predictor")[1]
    with serving(tmp_path / "data", rest_address="127.0.0.1:0", **tls) as facts:
        assert answer(facts["rest"], authority.path, token, client)[0] == 200
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            answer(facts["rest"], authority.path, token)


def test_a_caller_of_too_many_requests_is_told_when_to_come_again(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "predictor")[1]
    with serving(tmp_path, rest_address="127.0.0.1:0", calls_per_second=0.5) as facts:
        found = []
        for _ in range(2):
            connection = http.client.HTTPConnection(facts["rest"], timeout=10)
            connection.request("GET", "/v2", headers={"Authorization": f"Bearer {token}"})
            found.append(connection.getresponse())
            connection.close()
    assert [one.status for one in found] == [200, 429]
    assert found[1].headers["retry-after"] == "2"
