"""Tokens of OpenID Connect: signed by an issuer whose public keys are read from it.

A token is checked here, without asking anybody: signature, issuer, audience and times. Its issuer
is asked for its keys only, in a thread: at first, when a token names a key that is not known, but
not more often than every few seconds whatever comes, and every hour, so that keys taken back go.
How a token is signed is settled by its key: it cannot choose, and no key of many is a secret.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from dlae_server.access.errors import IssuerUnreachable
from dlae_server.access.projects import ALL, DEFAULT, PROJECT
from dlae_server.access.scopes import SCOPES
from dlae_server.access.tokens import LONGEST_NAME, Grant, digest
from dlae_server.addresses import is_loopback
from dlae_server.errors import CannotStart, CredentialsExpired, TokenInvalid
from dlae_server.settings import Settings

DISCOVERY = "/.well-known/openid-configuration"
LONGEST_TOKEN = 16 << 10
ANSWER_BYTES = 1 << 20
ANSWER_SECONDS = 5.0
# How often keys are asked for where one is not known, how long they are believed, and how long they
# are where the issuer does not answer.
AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS = 10.0, 3600.0, 24 * 3600.0
# Of clocks that differ.
LEEWAY_SECONDS = 30.0
# Tokens that have been checked and are remembered.
MOST_KNOWN = 1000
# Type and curve of a key -> the ways to sign that it may be used for.
_ALGORITHMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}


@dataclass(frozen=True)
class Key:
    """A public key.

    Attributes:
        public: What `jwt` checks with.
        algorithms: How a token may be signed with its other half.
    """

    public: Any
    algorithms: tuple[str, ...]


class OidcIssuer:
    """An issuer, and its keys as far as they are known."""

    def __init__(self, url: str, audience: str, claims: tuple[str, str, str]) -> None:
        self._url, self._audience, self._claims = url, audience, claims
        self._keys: dict[str, Key] = {}
        self._asked = self._read = float("-inf")
        self._trouble = "not asked yet"
        self._asking: asyncio.Task[None] | None = None
        self._known: dict[str, Grant] = {}

    def issues(self, token: str) -> bool:
        """Returns whether a token may be one of these: three parts with dots between."""
        return token.count(".") == 2 and len(token) <= LONGEST_TOKEN

    async def prepare(self, token: str) -> None:
        """Reads the issuer's keys where a token needs one that is not here, or they are old."""
        now, known = time.monotonic(), self._of(token) is not None
        if known and now - self._read < FRESH_SECONDS:
            return
        if self._asking is None:
            if now - self._asked < AGAIN_SECONDS:
                return
            self._asked = now
            self._asking = asyncio.create_task(self._refresh())
        if not known:
            # Whoever goes away leaves the others waiting.
            await asyncio.shield(self._asking)

    def grant(self, token: str) -> Grant:
        """Returns what a token gives; the scope is empty where it gives none.

        Raises:
            TokenInvalid, CredentialsExpired: It is of no use.
            IssuerUnreachable: The keys of the issuer are not here.
        """
        if time.monotonic() - self._read > STALE_SECONDS:
            raise IssuerUnreachable(self._trouble)
        sign = digest(token)
        if known := self._known.get(sign):
            return known
        found = self._checked(token)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[sign] = found
        return found

    def _checked(self, token: str) -> Grant:
        key = self._of(token)
        if key is None:
            raise TokenInvalid
        try:
            claims = jwt.decode(
                token,
                key.public,
                algorithms=list(key.algorithms),
                audience=self._audience,
                issuer=self._url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise CredentialsExpired from error
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenInvalid from error
        return _grant(claims, self._claims)

    def _of(self, token: str) -> Key | None:
        """Returns the key that a token names; the only one where it names none."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError):
            return None
        if name is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(name) if isinstance(name, str) else None

    async def _refresh(self) -> None:
        try:
            self._keys = await asyncio.to_thread(_keys_of, self._url)
            self._read = time.monotonic()
            # What was signed with a key that has gone is checked anew.
            self._known.clear()
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._trouble = type(error).__name__
        finally:
            self._asking = None


def issuer(settings: Settings) -> OidcIssuer:
    """Returns the issuer of the settings.

    Raises:
        CannotStart: There is no audience, or no URL that is safe.
    """
    url = settings.oidc_issuer or ""
    if not settings.oidc_audience:
        raise CannotStart("expected --oidc-audience beside --oidc-issuer, got none")
    if not _is_safe(url):
        raise CannotStart(f"expected https://... for --oidc-issuer, got '{url[:80]}'")
    return OidcIssuer(url, settings.oidc_audience, settings.oidc_claims)


def _is_safe(url: str) -> bool:
    """Returns whether what comes from a URL comes from whom it names."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    with suppress(CannotStart, ValueError):
        return parts.scheme == "http" and is_loopback(f"{parts.hostname}:{parts.port or 80}")
    return False


def _keys_of(url: str) -> dict[str, Key]:
    """Returns an issuer's keys by name.

    Raises:
        OSError, ValueError, KeyError, TypeError: It does not answer as it should.
    """
    about = _document(url.rstrip("/") + DISCOVERY)
    place = str(about["jwks_uri"])
    if about["issuer"] != url or not _is_safe(place):
        raise ValueError(place)
    found = {}
    for row in (one for one in _document(place)["keys"] if isinstance(one, dict)):
        algorithms = _ALGORITHMS.get((row.get("kty", ""), row.get("crv", "")), ())
        allowed = tuple(one for one in algorithms if row.get("alg", one) == one)
        if allowed and row.get("use", "sig") == "sig":
            # A key that cannot be read is not there.
            with suppress(jwt.PyJWTError, ValueError):
                found[str(row.get("kid", ""))] = Key(jwt.PyJWK(row, allowed[0]).key, allowed)
    return found


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere."""

    def redirect_request(self, *arguments: Any) -> None:
        """Returns nothing, so that the answer is an error."""


def _document(url: str) -> Any:
    opener = urllib.request.build_opener(_Stay)
    with opener.open(url, timeout=ANSWER_SECONDS) as answer:
        text = answer.read(ANSWER_BYTES + 1)
    if len(text) > ANSWER_BYTES:
        raise ValueError(url)
    return json.loads(text)


def _grant(claims: Mapping[str, Any], places: tuple[str, str, str]) -> Grant:
    name, scopes, projects = (_texts(claims, place) for place in places)
    if len(name) != 1 or not 0 < len(name[0]) <= LONGEST_NAME or not name[0].isprintable():
        raise TokenInvalid
    words = " ".join(scopes).split()
    scope = max((one for one in words if one in SCOPES), key=SCOPES.index, default="")
    named = " ".join(projects).split()
    within = tuple(one for one in named if one == ALL or PROJECT.fullmatch(one))
    if projects and not within:
        raise TokenInvalid
    return Grant(
        "",
        name[0],
        scope,
        "",
        float(claims.get("iat", 0.0)),
        float(claims["exp"]) + LEEWAY_SECONDS,
        projects=within or (DEFAULT,),
    )


def _texts(claims: Mapping[str, Any], place: str) -> list[str]:
    """Returns the texts of a claim, by its whole name or by those of what it lies in."""
    found: Any = claims
    for step in [place] if place in claims else place.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
