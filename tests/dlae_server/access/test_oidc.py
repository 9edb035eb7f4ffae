"""Tokens of OpenID Connect, from an issuer that the test runs."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dlae.v1 import models_pb2
from dlae_server.access import oidc
from dlae_server.access.entrance import entrance_of
from dlae_server.access.errors import IssuerUnreachable
from dlae_server.access.guard import Caller, Guard
from dlae_server.access.oidc import AGAIN_SECONDS, FRESH_SECONDS, OidcIssuer
from dlae_server.access.tokens import create
from dlae_server.errors import (
    CannotStart,
    CredentialsExpired,
    CredentialsMissing,
    PermissionDenied,
    TokenInvalid,
)
from dlae_server.settings import Settings
from tests.dlae_server.inside import serving

LIST = "/dlae.v1.ModelService/ListModels"
CLAIMS = ("sub", "dlae_scope", "dlae_projects")
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


def public(key: Any, name: str, **changes: str) -> dict[str, str]:
    """Returns the public half of a key as an issuer publishes it."""
    kind = jwt.algorithms.RSAAlgorithm if key is RSA else jwt.algorithms.ECAlgorithm
    row: dict[str, str] = kind.to_jwk(key.public_key(), as_dict=True)
    return {**row, "kid": name, "use": "sig", **changes}


class IssuerServer:
    """An issuer on this machine.

    Attributes:
        url: Its own.
        keys: That it publishes.
        about: What it says of itself besides.
        asked: How often its keys were read.
        seconds: That it takes to answer.
    """

    def __init__(self) -> None:
        self.keys = [public(RSA, "one"), public(EC, "two")]
        self.about: dict[str, str] = {}
        self.asked, self.seconds = 0, 0.0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str) -> Any:
        """Returns what is found at a path."""
        time.sleep(self.seconds)
        if path == "/keys":
            self.asked += 1
            return {"keys": self.keys}
        assert path == oidc.DISCOVERY
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.about}


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    """An issuer with a key of each kind."""
    made = IssuerServer()
    yield made
    made.server.shutdown()
    made.server.server_close()


def signed(issuer: IssuerServer, key: Any = RSA, kid: str | None = "one", **changes: Any) -> str:
    """Returns a token; `None` takes a claim out."""
    now = time.time()
    claims = {
        **{"iss": issuer.url, "aud": "dlae", "sub": "anna", "iat": now, "exp": now + 300},
        **{"dlae_scope": "trainer", "dlae_projects": ["liver"], **changes},
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims, key, "RS256" if key is RSA else "ES256", headers)


def guarded(issuer: IssuerServer, folder: Path, claims: tuple[str, str, str] = CLAIMS) -> Guard:
    guard = Guard(folder, required=True)
    guard.issuer = OidcIssuer(issuer.url, "dlae", claims)
    return guard


def admitted(guard: Guard, token: str, method: str = LIST) -> Caller:
    """Returns whose call it is, as the interceptor asks."""

    async def ask() -> Caller:
        await guard.prepare(f"Bearer {token}")
        return guard.admit(method, f"Bearer {token}")

    return asyncio.run(ask())


@pytest.mark.parametrize(("key", "kid"), [(RSA, "one"), (EC, "two")])
def test_a_token_of_the_issuer_says_who_may_what_and_where(
    tmp_path: Path, issuer: IssuerServer, key: Any, kid: str
) -> None:
    found = admitted(guarded(issuer, tmp_path), signed(issuer, key, kid))
    assert found == Caller("anna", "trainer", "liver")


def test_claims_lie_where_the_options_say(tmp_path: Path, issuer: IssuerServer) -> None:
    guard = guarded(issuer, tmp_path, ("preferred_username", "realm.roles", "https://x.org/p"))
    token = signed(
        issuer,
        preferred_username="ben",
        realm={"roles": ["offline", "viewer", "admin"]},
        **{"https://x.org/p": "brain liver"},
    )
    assert admitted(guard, token) == Caller("ben", "admin", "brain")
    plain = guarded(issuer, tmp_path)
    spoken = signed(issuer, dlae_scope="openid viewer", dlae_projects=None)
    assert admitted(plain, spoken) == Caller("anna", "viewer", "default")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.org"},
        {"exp": None},
        {"sub": None},
        {"sub": "a\nb"},
        {"sub": "x" * 101},
        {"nbf": time.time() + 3600},
        {"dlae_projects": ["../liver"]},
        {"kid": "three"},
        {"kid": None},
        {"kid": "two"},
        {"key": EC},
    ],
    ids="-".join,
)
def test_what_the_issuer_has_not_said_so_is_refused(
    tmp_path: Path, issuer: IssuerServer, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenInvalid):
        admitted(guarded(issuer, tmp_path), signed(issuer, **changes))


def test_a_token_past_its_time_is_expired(
    tmp_path: Path, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guarded(issuer, tmp_path)
    with pytest.raises(CredentialsExpired):
        admitted(guard, signed(issuer, exp=time.time() - 31))
    # Clocks differ; and one that was right once is looked at again.
    now = time.time()
    token = signed(issuer, exp=now - 20)
    admitted(guard, token)
    monkeypatch.setattr(oidc.time, "time", lambda: now + 11)
    with pytest.raises(CredentialsExpired):
        guard.admit(LIST, f"Bearer {token}")


def test_who_has_no_scope_is_known_and_may_nothing(tmp_path: Path, issuer: IssuerServer) -> None:
    for scope in (None, "root", ["Trainer"], 7):
        with pytest.raises(PermissionDenied, match=r"'viewer' for ListModels, got 'anna'.*'none'"):
            admitted(guarded(issuer, tmp_path), signed(issuer, dlae_scope=scope))


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS257", ""])
def test_a_token_cannot_choose_how_it_is_checked(
    tmp_path: Path, issuer: IssuerServer, algorithm: str
) -> None:
    pem = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = signed(issuer).split(".")[1]
    head = part({"alg": algorithm, "kid": "one", "typ": "JWT"})
    # With the public key as if it were a secret.
    sign = part(hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest())
    for signature in (sign, ""):
        with pytest.raises(TokenInvalid):
            admitted(guarded(issuer, tmp_path), f"{head}.{body}.{signature}")


def test_a_key_is_for_what_it_says_and_secrets_are_no_keys(
    tmp_path: Path, issuer: IssuerServer
) -> None:
    secret = part(b"x" * 32)
    for row in (
        public(RSA, "one", alg="PS256"),
        public(RSA, "one", use="enc"),
        {"kty": "oct", "k": secret, "kid": "one", "alg": "HS256"},
        {"kty": "RSA", "kid": "one", "n": "?", "e": "?"},
        "nothing",
    ):
        issuer.keys = [row]  # type: ignore[list-item]
        with pytest.raises(TokenInvalid):
            admitted(guarded(issuer, tmp_path), signed(issuer))
    claims = jwt.decode(signed(issuer), options={"verify_signature": False})
    forged = jwt.encode(claims, b"x" * 32, "HS256", {"kid": "one"})
    with pytest.raises(TokenInvalid):
        admitted(guarded(issuer, tmp_path), forged)


def test_new_keys_are_read_when_one_is_named_but_not_for_every_stranger(
    tmp_path: Path, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])
    guard, old = guarded(issuer, tmp_path), signed(issuer)
    for _ in range(3):
        admitted(guard, old)
    assert issuer.asked == 1
    issuer.keys = [public(RSA, "new")]
    fresh = signed(issuer, kid="new")
    now[0] += AGAIN_SECONDS - 1
    for number in range(5):
        with pytest.raises(TokenInvalid):
            admitted(guard, signed(issuer, kid=f"no-{number}"))
    assert issuer.asked == 1
    now[0] += 2
    assert admitted(guard, fresh).name == "anna"
    with pytest.raises(TokenInvalid):
        admitted(guard, old)
    assert issuer.asked == 2


def test_keys_that_were_taken_back_go_and_an_issuer_that_rests_does_no_harm(
    tmp_path: Path, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: now[0])
    guard, token = guarded(issuer, tmp_path), signed(issuer)

    async def ask() -> None:
        await guard.prepare(f"Bearer {token}")
        guard.admit(LIST, f"Bearer {token}")

    async def later() -> None:
        now[0] += FRESH_SECONDS + 1
        await ask()
        # Whoever is known does not wait for new keys.
        asking = guard.issuer._asking  # type: ignore[union-attr]
        assert asking is not None
        await asking

    asyncio.run(ask())
    issuer.about = {"issuer": "https://elsewhere.org"}
    asyncio.run(later())
    asyncio.run(ask())
    issuer.about, issuer.keys = {}, [public(EC, "two")]
    asyncio.run(later())
    with pytest.raises(TokenInvalid):
        asyncio.run(ask())


def test_without_the_issuers_keys_nobody_is_let_in_and_others_wait_for_nothing(
    tmp_path: Path, issuer: IssuerServer
) -> None:
    token = signed(issuer)
    own = create(tmp_path, "ben", "viewer")[1]
    issuer.seconds = 0.3
    guard = guarded(issuer, tmp_path)

    async def both() -> float:
        waiting = [asyncio.create_task(guard.prepare(f"Bearer {token}")) for _ in range(5)]
        await asyncio.sleep(0)
        start = time.monotonic()
        await guard.prepare(f"Bearer {own}")
        assert guard.admit(LIST, f"Bearer {own}").name == "ben"
        taken = time.monotonic() - start
        await asyncio.gather(*waiting)
        assert guard.admit(LIST, f"Bearer {token}").name == "anna"
        return taken

    assert asyncio.run(both()) < 0.2
    assert issuer.asked == 1
    gone = guarded(issuer, tmp_path)
    issuer.about = {"jwks_uri": "http://example.org/keys"}
    with pytest.raises(IssuerUnreachable, match="does not answer"):
        admitted(gone, token)


def test_tokens_of_this_server_count_beside_and_none_is_not_enough(
    tmp_path: Path, issuer: IssuerServer
) -> None:
    guard = guarded(issuer, tmp_path)
    assert admitted(guard, create(tmp_path, "ben", "admin")[1]).name == "ben"
    with pytest.raises(CredentialsMissing):
        guard.admit(LIST, None)
    for text in ("a.b.c", "..", "x" * 20000 + "..", "a.b"):
        with pytest.raises((TokenInvalid, IssuerUnreachable)):
            admitted(guard, text)


def test_options_that_are_not_safe_keep_the_server_from_starting(tmp_path: Path) -> None:
    def start(url: str, audience: str | None = "dlae") -> None:
        settings = Settings("127.0.0.1:0", tmp_path, (), oidc_issuer=url, oidc_audience=audience)
        assert entrance_of(settings)[0].issuer is not None

    start("https://login.example.org/realms/a")
    start("http://127.0.0.1:8080")
    for url in ("http://login.example.org", "login.example.org", "file:///etc/passwd", ""):
        with pytest.raises(CannotStart, match="expected https"):
            start(url)
    with pytest.raises(CannotStart, match="--oidc-audience"):
        start("https://login.example.org", None)


def test_a_server_takes_such_tokens_over_grpc(tmp_path: Path, issuer: IssuerServer) -> None:
    given = {"oidc_issuer": issuer.url, "oidc_audience": "dlae"}
    with (
        serving(tmp_path, **given) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        call = channel.unary_unary(LIST)
        request = models_pb2.ListModelsRequest().SerializeToString()
        metadata = [("authorization", f"Bearer {signed(issuer)}")]
        assert call(request, metadata=metadata) == b""
        for refused in ([], [("dlae-project", "brain"), *metadata]):
            with pytest.raises(grpc.RpcError, match=r"UNAUTHENTICATED|PERMISSION_DENIED"):
                call(request, metadata=refused)
