"""Whether a call is allowed, and whose it is. Nothing of a credential is kept, logged or told."""

import hmac
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dlae_server.access.limits import Limits
from dlae_server.access.projects import ALL, DEFAULT, checked_project
from dlae_server.access.scopes import OPEN, SCOPES, allows, least_scope
from dlae_server.access.tokens import Grant, Grants, digest, public_part
from dlae_server.errors import (
    CredentialsExpired,
    CredentialsMissing,
    PermissionDenied,
    ProjectDenied,
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
        project: Where it is made: there is nothing for it outside.
    """

    name: str = ""
    scope: str = SCOPES[-1]
    project: str = DEFAULT


ANYBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)


def caller_or(name: str) -> str:
    """Returns who the present call is proved to come from, or else a name that it gives itself."""
    return CALLER.get().name or name


def present_project() -> str:
    """Returns the project of the present call."""
    return CALLER.get().project


class Issuer(Protocol):
    """Who issues tokens besides this server."""

    def issues(self, token: str) -> bool:
        """Returns whether a token may be one of these."""

    async def prepare(self, token: str) -> None:
        """Gets what is needed to judge a token; whoever judges it tells what went wrong."""

    def grant(self, token: str) -> Grant:
        """Returns what a token gives; the scope is empty where it gives none.

        Raises:
            TokenInvalid, CredentialsExpired: It is of no use.
            IssuerUnreachable: It cannot be judged.
        """


class Guard:
    """Decides by token, certificate and method.

    Args:
        folder: The server's folder, where the tokens are.
        required: Whether credentials are asked for where none has ever been made.
        certificates: Whether clients prove certificates.
        limits: What each caller may do at once; None: anything.

    Attributes:
        certificates: Whether clients prove certificates.
        limits: What each caller may do at once.
        issuer: Who issues tokens besides this server; None: nobody.
    """

    issuer: Issuer | None = None

    def __init__(
        self,
        folder: Path,
        required: bool = False,
        certificates: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._grants = Grants(folder)
        self._required = required
        self.certificates = certificates
        self.limits = limits or Limits()

    def admit(
        self,
        method: str,
        authorization: str | None,
        certificate: str = "",
        project: str | None = None,
    ) -> Caller:
        """Returns whose call this is.

        Args:
            method: `/service/method`.
            authorization: Value of the header.
            certificate: Common name of the certificate that the client has proved; may be empty.
            project: That the call names; None: the first of whoever calls.

        Raises:
            CredentialsMissing, TokenInvalid, CredentialsExpired: It is not known who calls.
            PermissionDenied: They may not call this.
            ProjectDenied: They may, but not in this project.
            InvalidRequest: There can be no project of this name.
            CorruptArtifact: The tokens cannot be read, so that nobody is let in.
        """
        least = least_scope(method)
        if least == OPEN:
            return ANYBODY
        if not self._required and not self._grants.any():
            return Caller(certificate, project=checked_project(project or DEFAULT))
        grant = self._of_token(authorization) if authorization else self._of_name(certificate)
        if not grant.scope or not allows(grant.scope, least):
            raise PermissionDenied(method, grant.name, grant.scope or "none", least)
        return Caller(grant.name, grant.scope, _project(grant, project))

    async def prepare(self, authorization: str | None) -> None:
        """Gets what is needed to judge a call, where that is not here; to be called before it."""
        if self.issuer is None or not authorization:
            return
        token = _token(authorization)
        if self.issuer.issues(token):
            await self.issuer.prepare(token)

    def decides_early(self, authorization: str | None) -> bool:
        """Returns whether a call can be judged by its header, before anything of it is read."""
        return authorization is not None or not self.certificates

    def _of_token(self, authorization: str) -> Grant:
        token = _token(authorization)
        if self.issuer and self.issuer.issues(token):
            return _unexpired(self.issuer.grant(token))
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


def _token(authorization: str) -> str:
    """Returns the token of a header; empty where there is none."""
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        return ""
    return authorization[len(_SCHEME) :].strip()


def header_of(metadata: Iterable[tuple[str, str | bytes]], header: str = HEADER) -> str | None:
    """Returns a header among a call's metadata; None where there is none."""
    for name, value in metadata or ():
        if name == header:
            return value if isinstance(value, str) else value.decode("latin-1")
    return None


def common_name(facts: Mapping[str, Iterable[bytes]]) -> str:
    """Returns the common name of the certificate that a client has proved; may be empty.

    Args:
        facts: What the transport knows of the client.
    """
    names = list(facts.get("x509_common_name", ()))
    return names[0].decode(errors="replace") if len(names) == 1 else ""


def _project(grant: Grant, asked: str | None) -> str:
    """Returns the project of a call.

    Raises:
        InvalidRequest: There can be none of this name.
        ProjectDenied: The grant does not hold there.
    """
    if not asked:
        return DEFAULT if grant.projects[0] == ALL else grant.projects[0]
    if ALL not in grant.projects and asked not in grant.projects:
        raise ProjectDenied(grant.name, grant.projects, asked)
    return checked_project(asked)


def _unexpired(grant: Grant) -> Grant:
    if grant.state == "expired":
        raise CredentialsExpired
    return grant
