"""How the client proves who it is, and asks the server to: given, from the environment, or a file.

The context file, `~/.config/dlae/context.toml` or what DLAE_CONTEXT names, is TOML that its owner
alone can read:

    server = "gpu.example.org:50051"
    token = "dlae_..."
    tls_ca = "/etc/dlae/ca.pem"

What it holds is for the server that it names. A token is never printed, and goes only over TLS or
to this machine.
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dlae_client.errors import InvalidRequest, LocalFileError

DEFAULT_SERVER = "127.0.0.1:50051"
CONTEXT_VARIABLE = "DLAE_CONTEXT"
TOKEN_VARIABLE = "DLAE_TOKEN"
# Of the context file, all texts but `tls`.
_FILES = ("tls_ca", "tls_certificate", "tls_key")
_KEYS = ("server", "token", "tls", *_FILES)
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
        return self.tls or any(getattr(self, name) for name in _FILES)

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
        return None if path is None else _bytes(path)


def find_credentials(server: str, given: Credentials | None = None) -> Credentials:
    """Returns what there is for a server: given, else in the environment, else in the context file.

    Raises:
        LocalFileError: A file cannot be read, or by too many.
    """
    context = read_context()
    found = _from_context(context) if context.get("server", server) == server else Credentials()
    variables = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
    changes: dict[str, Path | str | bool] = {
        name: Path(value) for name, value in variables.items() if value
    }
    if token := os.environ.get(TOKEN_VARIABLE):
        changes["token"] = checked_token(token, TOKEN_VARIABLE)
    for name in ("token", "tls", *_FILES):
        if given is not None and getattr(given, name):
            changes[name] = getattr(given, name)
    return replace(found, **changes)  # type: ignore[arg-type]


def default_server() -> str:
    """Returns the server of the context file, else that of this machine.

    Raises:
        LocalFileError: The file cannot be read, or by too many.
    """
    return str(read_context().get("server", DEFAULT_SERVER))


def read_token(path: Path) -> str:
    """Returns the token in a file.

    Raises:
        LocalFileError: It cannot be read, or holds none.
    """
    return checked_token(_bytes(path).decode(errors="replace"), str(path))


def checked_token(text: str, place: str) -> str:
    """Returns a token without white space around it.

    Raises:
        LocalFileError: It is none.
    """
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise LocalFileError(f"expected a token in {place}, got what is none")
    return token


def read_context() -> Mapping[str, object]:
    """Returns what stands in the context file; nothing where there is none.

    Raises:
        LocalFileError: It cannot be read or understood, or others can read it.
    """
    named = os.environ.get(CONTEXT_VARIABLE)
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    path = Path(named or f"{folder}/dlae/context.toml").expanduser()
    if not named and not path.exists():
        return {}
    try:
        mode = path.stat().st_mode
        found = tomllib.loads(_bytes(path).decode())
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        # The error's own text might quote the token.
        raise LocalFileError(f"expected TOML in {path}, got what is none") from error
    if mode & 0o077:
        raise LocalFileError(
            f"expected {path} to be readable by you alone, got mode {mode & 0o777:o}; "
            f"`chmod 600 {path}` mends it"
        )
    for name, value in found.items():
        if name not in _KEYS or not isinstance(value, bool if name == "tls" else str):
            keys = ", ".join(_KEYS)
            raise LocalFileError(
                f"expected of {path} the keys {keys}, as text but for 'tls', got '{name[:40]}'"
            )
    return found


def _from_context(context: Mapping[str, object]) -> Credentials:
    files = {name: Path(str(context[name])).expanduser() for name in _FILES if name in context}
    token = checked_token(str(context["token"]), "the context file") if "token" in context else ""
    return Credentials(token, bool(context.get("tls")), **files)


def is_loopback(server: str) -> bool:
    """Returns whether `host:port` is this machine, reached by nobody else."""
    host = server.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror}") from error
