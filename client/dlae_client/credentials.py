"""How the client proves who it is, and asks the server to.

A token is never printed, and goes only over TLS or to this machine. Where credentials come from
stands in `targets.py`, contexts that hold them in `contexts.py`.
"""

import ipaddress
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from dlae_client.errors import InvalidRequest, LocalFileError

DEFAULT_SERVER = "127.0.0.1:50051"
TOKEN_VARIABLE = "DLAE_TOKEN"
TLS_FILES = ("tls_ca", "tls_certificate", "tls_key")
# The server reads DLAE_TLS_CERTIFICATE and DLAE_TLS_KEY: on one machine both may be set.
_VARIABLES = {
    "tls_ca": "DLAE_TLS_CA",
    "tls_certificate": "DLAE_CLIENT_CERTIFICATE",
    "tls_key": "DLAE_CLIENT_KEY",
}


@dataclass(frozen=True)
class Credentials:
    """How the client proves who it is, and asks the server to.

    Attributes:
        token: As `dlae-server token create` showed it; empty for none.
        tls: Whether to use TLS, which any file below means too.
        tls_ca: Who signs the server's certificate, in PEM; None: whom this machine trusts.
        tls_certificate: Certificate of the client in PEM, where the server asks for one.
        tls_key: Its private key.
    """

    token: str = field(default="", repr=False)
    tls: bool = False
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    @property
    def secure(self) -> bool:
        """Whether TLS is used."""
        return self.tls or any(getattr(self, name) for name in TLS_FILES)

    def require_safe(self, server: str) -> None:
        """Refuses what would give a token away.

        Raises:
            InvalidRequest: There is a token, no TLS, and the server is another machine.
        """
        if self.token and not self.secure and not is_loopback(server):
            raise InvalidRequest(
                f"expected TLS for a token to {server}, got none; name who signed the server's "
                "certificate with --tls-ca, or use --tls",
                "TOKEN_WITHOUT_TLS",
            )

    def pem(self, name: str) -> bytes | None:
        """Returns what a file holds; None where there is none.

        Raises:
            LocalFileError: It cannot be read.
        """
        path: Path | None = getattr(self, name)
        return None if path is None else file_bytes(path)


def merged(found: Credentials, given: Credentials | None) -> Credentials:
    """Returns what was found, with what is given in its place."""
    names = ("token", "tls", *TLS_FILES)
    changes = {name: value for name in names if given and (value := getattr(given, name))}
    return replace(found, **changes)


def environment_credentials() -> Credentials:
    """Returns what the environment tells of credentials.

    Raises:
        LocalFileError: The token is none.
    """
    named = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
    files = {name: Path(value) for name, value in named.items() if value}
    token = os.environ.get(TOKEN_VARIABLE, "")
    token = checked_token(token, TOKEN_VARIABLE) if token else ""
    return Credentials(token, tls=False, **files)


def read_token(path: Path) -> str:
    """Returns the token in a file.

    Raises:
        LocalFileError: It cannot be read, or holds none.
    """
    return checked_token(file_bytes(path).decode(errors="replace"), str(path))


def checked_token(text: str, place: str) -> str:
    """Returns a token without white space around it.

    Raises:
        LocalFileError: It is none.
    """
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise LocalFileError(f"expected a token in {place}, got what is none")
    return token


def is_loopback(server: str) -> bool:
    """Returns whether `host:port` is this machine, reached by nobody else."""
    host = server.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def file_bytes(path: Path) -> bytes:
    """Returns what a file holds.

    Raises:
        LocalFileError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror}") from error
