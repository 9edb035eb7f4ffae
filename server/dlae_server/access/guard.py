"""Whether a call is allowed, and whose it is. Nothing of a credential is kept, logged or told."""

import hmac
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from dlae_server.access.scopes import OPEN, SCOPES, allows, least_scope
from dlae_server.access.tokens import Grant, Grants, digest, public_part
from dlae_server.errors import (
    CredentialsExpired,
    CredentialsMissing,
    PermissionDenied,
    TokenInvalid,
)

HEADER = "authorization"
_SCHEME = "bearer "


@dataclass(frozen=True)
class Caller:
    """Whose a call is.

    Attributes:
        name: Of the token or the certificate; empty where nobody had to say.
        scope: What it allows.
    """

    name: str = ""
    scope: str = SCOPES[-1]


ANYBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)


def caller_or(name: str) -> str:
    """Returns who the present call is proved to come from, or else a name that it gives itself."""
    return CALLER.get().name or name


class Guard:
    """Decides by token, certificate and method.

    Args:
        folder: The server's folder, where the tokens are.
        required: Whether credentials are asked for where none has ever been made.

    Attributes:
        certificates: Whether clients prove certificates.
    """

    def __init__(self, folder: Path, required: bool = False, certificates: bool = False) -> None:
        self._grants = Grants(folder)
        self._required = required
        self.certificates = certificates

    def admit(self, method: str, authorization: str | None, certificate: str = "") -> Caller:
        """Returns whose call this is.

        Args:
            method: `/service/method`.
            authorization: Value of the header.
            certificate: Common name of the certificate that the client has proved; may be empty.

        Raises:
            CredentialsMissing, TokenInvalid, CredentialsExpired: It is not known who calls.
            PermissionDenied: They may not call this.
            CorruptArtifact: The tokens cannot be read, so that nobody is let in.
        """
        least = least_scope(method)
        if least == OPEN:
            return ANYBODY
        if not self._required and not self._grants.any():
            return Caller(certificate)
        grant = self._of_token(authorization) if authorization else self._of_name(certificate)
        if not allows(grant.scope, least):
            raise PermissionDenied(method, grant.name, grant.scope, least)
        return Caller(grant.name, grant.scope)

    def decides_early(self, authorization: str | None) -> bool:
        """Returns whether a call can be judged by its header, before anything of it is read."""
        return authorization is not None or not self.certificates

    def _of_token(self, authorization: str) -> Grant:
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise TokenInvalid
        token = authorization[len(_SCHEME) :].strip()
        grant = self._grants.of_token(public_part(token))
        # A token that is not there costs the same work.
        right = hmac.compare_digest(digest(token), grant.sha256 if grant else digest(""))
        if grant is None or not right or grant.state == "revoked":
            raise TokenInvalid
        return _unexpired(grant)

    def _of_name(self, certificate: str) -> Grant:
        grant = self._grants.of_certificate(certificate) if certificate else None
        if grant is None or grant.state == "revoked":
            raise CredentialsMissing(certificate)
        return _unexpired(grant)


def authorization_of(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """Returns the header among a call's metadata; None where there is none."""
    for name, value in metadata or ():
        if name == HEADER:
            return value if isinstance(value, str) else value.decode("latin-1")
    return None


def common_name(facts: Mapping[str, Iterable[bytes]]) -> str:
    """Returns the common name of the certificate that a client has proved; may be empty.

    Args:
        facts: What the transport knows of the client.
    """
    names = list(facts.get("x509_common_name", ()))
    return names[0].decode(errors="replace") if len(names) == 1 else ""


def _unexpired(grant: Grant) -> Grant:
    if grant.state == "expired":
        raise CredentialsExpired
    return grant
