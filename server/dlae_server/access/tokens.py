"""Tokens and certificate names that have a scope: one file, read again when it has changed.

A token is 256 random bits. What is kept is its SHA-256: nobody can guess so many bits, so that a
slow hash, which guards passwords, would guard nothing more and cost every call milliseconds. The
file belongs to the server's user alone. It is replaced as a whole by whoever changes it, and a
running server looks at its inode and times with every call: revocation acts at once.
"""

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlae_core.errors import CorruptArtifact, StorageFailed
from dlae_server.access.projects import ALL, DEFAULT, checked_project
from dlae_server.access.scopes import SCOPES
from dlae_server.errors import InvalidRequest

TOKENS_FILE = "tokens.json"
PREFIX = "dlae"
DAY = 86400.0
LONGEST_NAME = 100


@dataclass(frozen=True)
class Grant:
    """A scope given to who has a token, or a certificate of a name.

    Attributes:
        id: Public part of the token.
        name: Of the person or program; of a certificate, its common name.
        scope: One of `SCOPES`.
        sha256: Of the whole token; empty for a certificate.
        created: Seconds since 1970.
        expires: The same; None: never.
        revoked: The same; None: not.
        projects: In which it holds, the first where a call names none; `*`: in all.
    """

    id: str
    name: str
    scope: str
    sha256: str
    created: float
    expires: float | None = None
    revoked: float | None = None
    projects: tuple[str, ...] = (DEFAULT,)

    @property
    def state(self) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        if self.expires is not None and self.expires <= time.time():
            return "expired"
        return "valid"


def digest(token: str) -> str:
    """Returns what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def public_part(token: str) -> str:
    """Returns the public part of a token; empty where it has none."""
    parts = token.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else ""


def create(
    folder: Path,
    name: str,
    scope: str,
    days: float | None = None,
    certificate: bool = False,
    projects: Sequence[str] = (),
) -> tuple[Grant, str]:
    """Adds a grant; returns it with its token, which is kept nowhere, empty for a certificate.

    Args:
        folder: The server's folder.
        name: Of the person or program; the common name of a certificate.
        scope: One of `SCOPES`.
        days: After which it expires; None: never.
        certificate: Whether a client certificate of that name is what has the scope.
        projects: In which it holds; none: in `default`, `*`: in all.

    Raises:
        InvalidRequest: A name is not allowed, or has a valid grant of its kind.
        CorruptArtifact, StorageFailed: The file cannot be read or written.
    """
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"expected a name of 1 to {LONGEST_NAME} printable characters")
    if scope not in SCOPES:
        raise InvalidRequest(f"expected a scope of {', '.join(SCOPES)}, got '{scope[:40]}'")
    within = tuple(one if one == ALL else checked_project(one) for one in projects) or (DEFAULT,)
    now = time.time()
    with _changing(folder) as grants:
        if any(
            one.name == name and one.state == "valid" and (not one.sha256) == certificate
            for one in grants
        ):
            raise InvalidRequest(f"'{name}' has a valid one already; revoke it or choose a name")
        number = secrets.token_hex(4)
        token = "" if certificate else f"{PREFIX}_{number}_{secrets.token_urlsafe(32)}"
        expires = None if days is None else now + days * DAY
        kept = digest(token) if token else ""
        grant = Grant(number, name, scope, kept, now, expires, projects=within)
        grants.append(grant)
    return grant, token


def revoke(folder: Path, name: str) -> list[Grant]:
    """Revokes what a name has, or the one of a public part; returns what was valid until now.

    Raises:
        InvalidRequest: There is nothing of that name.
        CorruptArtifact, StorageFailed: The file cannot be read or written.
    """
    now, revoked = time.time(), []
    with _changing(folder) as grants:
        for index, grant in enumerate(grants):
            if name in (grant.name, grant.id) and grant.revoked is None:
                grants[index] = Grant(**{**asdict(grant), "revoked": now})
                revoked.append(grants[index])
        if not revoked:
            raise InvalidRequest(f"there is no token '{name[:LONGEST_NAME]}' that is not revoked")
    return revoked


def read_grants(folder: Path) -> list[Grant]:
    """Returns all grants, oldest first.

    Raises:
        CorruptArtifact: The file cannot be read.
    """
    path = folder / TOKENS_FILE
    try:
        return [_grant(row) for row in json.loads(path.read_text())["grants"]]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _unreadable() from error


class Grants:
    """The grants as they are now, for a running server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / TOKENS_FILE
        self._seen: tuple[int, ...] | None = None
        self._tokens: dict[str, Grant] = {}
        self._certificates: dict[str, Grant] = {}
        self._any = False

    def any(self) -> bool:
        """Returns whether there are or have been any; what has been seen once is not forgotten.

        Raises:
            CorruptArtifact: The file cannot be read.
        """
        self._refresh()
        return self._any

    def of_token(self, public: str) -> Grant | None:
        """Returns the grant of a token's public part."""
        self._refresh()
        return self._tokens.get(public)

    def of_certificate(self, name: str) -> Grant | None:
        """Returns the last grant of a certificate's common name."""
        self._refresh()
        return self._certificates.get(name)

    def _refresh(self) -> None:
        try:
            found = os.stat(self._path)
            seen: tuple[int, ...] = (found.st_ino, found.st_mtime_ns, found.st_size)
        except (FileNotFoundError, NotADirectoryError):
            seen = ()
        except OSError as error:
            raise _unreadable() from error
        if seen == self._seen:
            return
        grants = read_grants(self._folder)
        self._tokens = {grant.id: grant for grant in grants if grant.sha256}
        self._certificates = {grant.name: grant for grant in grants if not grant.sha256}
        self._any = self._any or bool(seen)
        self._seen = seen


def _grant(row: dict[str, Any]) -> Grant:
    # Those of before there were projects hold in the one that all things of then belong to.
    grant = Grant(**{**row, "projects": tuple(row.get("projects", (DEFAULT,)))})
    texts = (grant.id, grant.name, grant.sha256, *grant.projects)
    ends = [one for one in (grant.expires, grant.revoked) if one is not None]
    known = all(isinstance(text, str) for text in texts) and grant.scope in SCOPES
    if not known or not all(isinstance(one, int | float) for one in (grant.created, *ends)):
        raise ValueError("a grant is none of ours")
    return grant


def _unreadable() -> CorruptArtifact:
    return CorruptArtifact(
        f"the server's list of tokens cannot be read, so that nobody is let in; mend {TOKENS_FILE} "
        "in its data folder, or remove it and make new tokens"
    )


@contextmanager
def _changing(folder: Path) -> Iterator[list[Grant]]:
    """Yields the grants; writes what has become of them, one process after another."""
    path = folder / TOKENS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "tokens.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            grants = read_grants(folder)
            yield grants
            _replace(path, json.dumps({"grants": [asdict(grant) for grant in grants]}, indent=1))
    except OSError as error:
        raise StorageFailed(f"cannot write {path}: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
            owner = path.parent.stat()
            if os.geteuid() == 0:
                # The server that has to read it may be another user's.
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
