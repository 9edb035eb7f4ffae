"""Contexts: servers by name, each with the credentials and the project that are used there.

They lie in `~/.config/dlae/contexts.toml`, which its owner alone can read:

    current = "clinic"

    [contexts.clinic]
    server = "gpu.example.org:50051"
    token = "dlae_..."
    tls_ca = "/etc/dlae/ca.pem"
    project = "tissue"

A file `context.toml` beside it, of one context without a name, is the context `default`. What a
context holds is for its server and no other.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlae_client.credentials import (
    DEFAULT_SERVER,
    TLS_FILES,
    Credentials,
    checked_token,
    file_bytes,
)
from dlae_client.errors import InvalidRequest, LocalFileError, NotFound

CONTEXT_VARIABLE = "DLAE_CONTEXT"
DEFAULT = "default"
_TOP = {"current", "contexts"}
# All texts but `tls`.
_KEYS = ("server", "project", "token", "tls", *TLS_FILES)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_FILE_ENDING = ".toml"


@dataclass(frozen=True)
class Context:
    """A server by name.

    Attributes:
        name: What it is called here.
        server: `host:port`.
        project: Project whose jobs, data and models are meant; empty: what the server decides.
        credentials: What is used for this server and no other.
    """

    name: str
    server: str = DEFAULT_SERVER
    project: str = ""
    credentials: Credentials = field(default_factory=Credentials)


@dataclass(frozen=True)
class Contexts:
    """All contexts of a user.

    Attributes:
        all: By name.
        current: Name of the one that is used where none is named; empty for none.
    """

    all: Mapping[str, Context] = field(default_factory=dict)
    current: str = ""

    def named(self, name: str) -> Context:
        """Returns a context.

        Raises:
            NotFound: There is none of this name.
        """
        if name not in self.all:
            message = f"there is no context '{name[:64]}'; `dlae-client context list` shows them"
            raise NotFound(message, "CONTEXT_NOT_FOUND")
        return self.all[name]

    def with_context(self, context: Context) -> "Contexts":
        """Returns these with one more, or with another of its name; the first is current."""
        return Contexts({**self.all, context.name: context}, self.current or context.name)

    def without(self, name: str) -> "Contexts":
        """Returns these without one; no other becomes current in its place.

        Raises:
            NotFound: There is none of this name.
        """
        self.named(name)
        rest = {key: one for key, one in self.all.items() if key != name}
        return Contexts(rest, "" if name == self.current else self.current)

    def used(self, name: str) -> "Contexts":
        """Returns these with another as the current.

        Raises:
            NotFound: There is none of this name.
        """
        return Contexts(self.all, self.named(name).name)


def checked_name(name: str) -> str:
    """Returns a name that a context may have.

    Raises:
        InvalidRequest: It may not.
    """
    if not _NAME.fullmatch(name) or name.endswith(_FILE_ENDING):
        raise InvalidRequest(
            "expected as name of a context up to 63 letters, digits, '.', '_' and '-', without "
            f"'.toml' at the end, got '{name[:64]}'",
            "USAGE",
        )
    return name


def current_context() -> Context | None:
    """Returns the context that DLAE_CONTEXT names, else the current one; None where there is none.

    DLAE_CONTEXT may name a file of one context instead: it holds a `/`, or ends in `.toml`.

    Raises:
        NotFound: There is no context of this name.
        LocalFileError: A file cannot be read or understood, or others can read it.
    """
    named = os.environ.get(CONTEXT_VARIABLE, "")
    if "/" in named or os.sep in named or named.endswith(_FILE_ENDING):
        path = Path(named).expanduser()
        return _context(named, _tables(path), path)
    found = read_contexts()
    wanted = named or found.current
    return found.named(wanted) if wanted else None


def read_contexts() -> Contexts:
    """Returns the contexts of this user; none where there are no files.

    Raises:
        LocalFileError: A file cannot be read or understood, or others can read it.
    """
    path, single = contexts_path(), _single_path()
    found: dict[str, Context] = {}
    if single.exists():
        found[DEFAULT] = _context(DEFAULT, _tables(single), single)
    tables = _tables(path) if path.exists() else {}
    current = tables.get("current", DEFAULT if found else "")
    rows = tables.get("contexts", {})
    if not isinstance(current, str) or not isinstance(rows, dict) or set(tables) - _TOP:
        raise LocalFileError(f"expected of {path} a text 'current' and tables '[contexts.NAME]'")
    for name, values in rows.items():
        found[name] = _context(name, values if isinstance(values, dict) else {"": values}, path)
    return Contexts(found, current)


def write_contexts(contexts: Contexts) -> None:
    """Writes all contexts, whole or not at all; a file of one without a name is taken over.

    Raises:
        LocalFileError: The file cannot be written; the old one stays as it is.
    """
    lines = [f"current = {_text(contexts.current)}\n"] if contexts.current else []
    for name, context in contexts.all.items():
        rows = [f"{key} = {_text(value)}\n" for key, value in _values(context).items()]
        lines += [f"\n[contexts.{_text(name)}]\n", *rows]
    path = contexts_path()
    try:
        # What is a link into a folder of settings stays one.
        _replace(path.resolve(), "".join(lines))
        _single_path().unlink(missing_ok=True)
    except OSError as error:
        raise LocalFileError(f"cannot write {path}: {error.strerror or error}") from error


def contexts_path() -> Path:
    """Returns where the contexts of this user lie."""
    return _folder() / "contexts.toml"


def _single_path() -> Path:
    return _folder() / "context.toml"


def _folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "dlae"


def _tables(path: Path) -> Mapping[str, Any]:
    """Returns what a file of contexts holds.

    Raises:
        LocalFileError: It cannot be read or understood, or others can read it.
    """
    try:
        mode = path.stat().st_mode
        found = tomllib.loads(file_bytes(path).decode())
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
    return found


def _context(name: str, values: Mapping[str, Any], path: Path) -> Context:
    for key, value in values.items():
        if key not in _KEYS or not isinstance(value, bool if key == "tls" else str):
            keys = ", ".join(_KEYS)
            raise LocalFileError(
                f"expected of a context in {path} the keys {keys}, as text but for 'tls', got "
                f"'{key[:40]}'"
            )
    files = {key: Path(values[key]).expanduser() for key in TLS_FILES if key in values}
    token = checked_token(values["token"], "the context file") if "token" in values else ""
    credentials = Credentials(token, bool(values.get("tls")), **files)
    server, project = values.get("server", DEFAULT_SERVER), values.get("project", "")
    return Context(name, server, project, credentials)


def _values(context: Context) -> dict[str, str | bool]:
    credentials = context.credentials
    found: dict[str, str | bool] = {
        "server": context.server,
        "project": context.project,
        "token": credentials.token,
        "tls": credentials.tls,
    }
    files = {key: path for key in TLS_FILES if (path := getattr(credentials, key))}
    found |= {key: str(path) for key, path in files.items()}
    return {key: value for key, value in found.items() if value}


def _text(value: str | bool) -> str:
    """Returns a value as TOML has it, which JSON's texts are but for control characters."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Readable by its owner alone from the beginning.
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
