"""The log as the settings say: its key, its chain, and what records to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlae
from dlae_core.errors import DlaeError, StorageFailed
from dlae_server.audit.chain import Chain
from dlae_server.audit.log import Log
from dlae_server.audit.recording import OFF, Audit
from dlae_server.audit.records import Facts, Key, now
from dlae_server.errors import CannotStart
from dlae_server.settings import Settings

LEAST_KEY_BYTES = 32


def read_key(path: Path, data_dir: Path | None = None) -> Key:
    """Returns the key in a file, whose bytes are the secret.

    Args:
        path: The file.
        data_dir: The server's folder, in which no key may lie.

    Raises:
        CannotStart: There is none, others can read it, it is short, or lies in the data folder.
    """
    if data_dir and path.resolve().is_relative_to(data_dir.resolve()):
        raise CannotStart(
            f"expected the audit key outside the data folder, got {path}: who can change the log "
            "must not have it; move it"
        )
    try:
        secret, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise CannotStart(f"cannot read the audit key {path}: {error.strerror}") from error
    if len(secret) < LEAST_KEY_BYTES:
        raise CannotStart(
            f"expected an audit key of {LEAST_KEY_BYTES} bytes or more in {path}, got "
            f"{len(secret)}; make one with `openssl rand -out {path} {LEAST_KEY_BYTES}`"
        )
    if mode & 0o077:
        raise CannotStart(
            f"expected an audit key that its owner alone can read, got others for {path}; "
            f"`chmod 600 {path}`"
        )
    return Key(secret)


def key_of(settings: Settings) -> Key | None:
    """Returns the key that records are signed with; None where there is none.

    Raises:
        CannotStart: It cannot be used.
    """
    return read_key(settings.audit_key, settings.data_dir) if settings.audit_key else None


@contextmanager
def recording(settings: Settings) -> Iterator[Audit]:
    """Yields what a server records with, from its start to its end, which are recorded too.

    Raises:
        CannotStart, CorruptArtifact, StorageFailed: Nothing can be recorded.
    """
    if not settings.audit:
        yield OFF
        return
    chain = Chain(settings.data_dir, key_of(settings), settings.audit_segment_bytes)
    try:
        chain.append([{"what": "start", "time": now(), "dlae_version": dlae.__version__}])
    except DlaeError:
        chain.close()
        raise
    audit = Audit(Log(chain), settings.audit_predictions, settings.audit_when_full == "refuse")
    try:
        yield audit
    finally:
        audit.add({"what": "stop", "time": now()})
        audit.close()


def require_usable(settings: Settings) -> None:
    """Looks whether commands can record, before they do what they record.

    Raises:
        CannotStart, CorruptArtifact, StorageFailed: They cannot.
    """
    if settings.audit:
        Chain(settings.data_dir, key_of(settings), settings.audit_segment_bytes).close()


def record(settings: Settings, what: str, **facts: object) -> None:
    """Records what a command beside the server has done; it is on the disk when this returns.

    Raises:
        CannotStart, CorruptArtifact: It cannot be recorded.
        StorageFailed: The same, unless calls go on where the disk is full.
    """
    if not settings.audit:
        return
    told: Facts = {"what": what, "time": now(), "who": "", "scope": "local", **facts}
    try:
        chain = Chain(settings.data_dir, key_of(settings), settings.audit_segment_bytes)
        try:
            chain.append([told])
        finally:
            chain.close()
    except StorageFailed:
        if settings.audit_when_full == "refuse":
            raise
