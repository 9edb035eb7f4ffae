"""TLS: with certificates that are right, wrong, expired, and new."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from dlae.v1 import training_pb2 as pb
from dlae.v1.training_pb2_grpc import TrainingServiceStub
from dlae_server.access.certificates import Certificates
from dlae_server.access.tokens import create, revoke
from dlae_server.errors import CannotStart
from tests.certificates import Authority
from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of

QUICK = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.enable_http_proxy", 0))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def channel(
    address: str, ca: Path, certificate: tuple[Path, Path] | None = None
) -> Iterator[grpc.Channel]:
    chain, key = (path.read_bytes() for path in certificate) if certificate else (None, None)
    credentials = grpc.ssl_channel_credentials(ca.read_bytes(), key, chain)
    with grpc.secure_channel(address, credentials, options=QUICK) as opened:
        yield opened


def jobs(opened: grpc.Channel) -> pb.ListJobsResponse:
    return TrainingServiceStub(opened).ListJobs(pb.ListJobsRequest(), timeout=5)


def failure(
    address: str, ca: Path, certificate: tuple[Path, Path] | None = None
) -> tuple[str, str]:
    with channel(address, ca, certificate) as opened:
        with pytest.raises(grpc.RpcError) as caught:
            jobs(opened)
        return caught.value.code().name, caught.value.details()


def tls(pair: tuple[Path, Path], client_ca: Path | None = None) -> dict[str, Path | None]:
    return {"tls_certificate": pair[0], "tls_key": pair[1], "tls_client_ca": client_ca}


def test_a_right_certificate_is_believed_and_a_wrong_authority_is_not(
    tmp_path: Path, authority: Authority
) -> None:
    stranger = Authority(tmp_path / "stranger", "stranger")
    with serving(tmp_path / "data", **tls(authority.signs("server"))) as facts:
        with channel(facts["listen"], authority.path) as opened:
            assert list(jobs(opened).jobs) == []
        code, details = failure(facts["listen"], stranger.path)
        assert (code, "CERTIFICATE_VERIFY_FAILED" in details) == ("UNAVAILABLE", True)
        with grpc.insecure_channel(facts["listen"], options=QUICK) as plain:
            with pytest.raises(grpc.RpcError) as caught:
                jobs(plain)
            assert caught.value.code().name == "UNAVAILABLE"


def test_an_expired_certificate_and_one_of_another_host_are_refused_and_mended_without_a_restart(
    tmp_path: Path, authority: Authority
) -> None:
    pair = authority.signs("late", days=-1.0)
    with serving(tmp_path / "data", **tls(pair)) as facts:
        code, details = failure(facts["listen"], authority.path)
        assert (code, "expired" in details) == ("UNAVAILABLE", True)
        assert authority.signs("late", hosts=("dlae.example",)) == pair
        code, details = failure(facts["listen"], authority.path)
        assert (code, "dlae.example" in details or "name" in details.lower()) == (
            "UNAVAILABLE",
            True,
        )
        assert authority.signs("late") == pair
        with channel(facts["listen"], authority.path) as opened:
            assert list(jobs(opened).jobs) == []
            # What is open stays open while certificates change.
            authority.signs("late", days=-1.0)
            assert list(jobs(opened).jobs) == []


def test_mutual_tls_asks_for_certificates_and_knows_their_names(
    tmp_path: Path, authority: Authority
) -> None:
    data = tmp_path / "data"
    stranger = Authority(tmp_path / "stranger", "stranger")
    with serving(data, **tls(authority.signs("server"), authority.path)) as facts:
        address = facts["listen"]
        for certificate in (
            None,
            stranger.signs("anna", hosts=()),
            authority.signs("anna", (), -1.0),
        ):
            assert failure(address, authority.path, certificate)[0] == "UNAVAILABLE"
        anna = authority.signs("anna", hosts=())
        with channel(address, authority.path, anna) as opened:
            assert list(jobs(opened).jobs) == []
            create(data, "anna", "viewer", certificate=True)
            assert list(jobs(opened).jobs) == []
            with pytest.raises(grpc.RpcError) as caught:
                TrainingServiceStub(opened).Train(pb.TrainRequest(), timeout=5)
            assert reason_of(caught.value) == "PERMISSION_DENIED"
            revoke(data, "anna")
            with pytest.raises(grpc.RpcError) as caught:
                jobs(opened)
            assert reason_of(caught.value) == "CREDENTIALS_MISSING"
            assert "anna" in caught.value.details()


def test_files_that_do_not_belong_together_are_refused_at_the_start(
    tmp_path: Path, authority: Authority
) -> None:
    (one, key), (other, _) = authority.signs("one"), authority.signs("other")
    with pytest.raises(CannotStart, match="mismatch"):
        Certificates(other, key, None)
    with pytest.raises(CannotStart, match="No such file"):
        Certificates(one, tmp_path / "none", None)
    with pytest.raises(CannotStart, match="together"), serving(tmp_path, tls_certificate=one):
        pass


def test_a_new_certificate_that_cannot_be_used_is_told_once_and_the_old_one_stays(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = authority.signs("server", file="changing")
    found = Certificates(certificate, key, None)
    assert found.changed() is None
    # Between the two files of a renewal: the certificate is new, the key is not.
    old = key.read_bytes()
    authority.signs("server", file="changing")
    new = key.read_bytes()
    key.write_bytes(old)
    with caplog.at_level(logging.INFO):
        assert found.changed() is None
        assert found.changed() is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    key.write_bytes(new)
    changed = found.changed()
    assert changed is not None
    assert changed.key == new
    assert "PRIVATE" not in repr(changed)
