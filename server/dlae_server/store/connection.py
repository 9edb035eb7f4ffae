"""A store opened, brought to this version and checked; and its transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from dlae_server.errors import CannotStart, InvalidRequest
from dlae_server.store.migrations import MIGRATIONS

STORE_FILE = "dlae.sqlite3"


class Connection:
    """The one connection that writes; or one that reads beside it.

    Args:
        path: The file.
        read_only: Whether nothing is to be written: a file that is not there is not made, and one
            of an earlier version not brought to this one.

    Attributes:
        folder: The server's folder.

    Raises:
        CannotStart: The file was written by another version, or is damaged, or is not there.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        if read_only and not path.is_file():
            raise CannotStart(
                f"expected the folder of a server, got no {path.name} in {path.parent}"
            )
        self.folder = path.absolute().parent
        place = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        # The one thread that uses the connection is not the one that makes it.
        self._connection = sqlite3.connect(
            place, uri=True, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as on_error:
            on_error.callback(self._connection.close)
            if not read_only:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("PRAGMA foreign_keys = ON")
            self._require_known(path)
            self._require_whole(path)
            if read_only:
                self._require_present(path)
            else:
                self._migrate()
            on_error.pop_all()

    def close(self) -> None:
        """Closes the store."""
        self._connection.close()

    @property
    def rows_written(self) -> int:
        """Number of rows that this connection has written so far; any thread may ask."""
        return self._connection.total_changes

    def copy_to(self, path: Path) -> None:
        """Writes the store as it is now into a new file, while others go on writing."""
        with closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)
            # One file, whole by itself; a server that opens it has its log beside it again.
            copy.execute("PRAGMA journal_mode = DELETE")

    def damage(self) -> list[str]:
        """Returns what is damaged, indices and references included; nothing where all is sound."""
        return damage(self._connection, thorough=True)

    def _require_known(self, path: Path) -> None:
        version = self._version()
        if version > len(MIGRATIONS):
            raise CannotStart(
                f"expected a store of version {len(MIGRATIONS)} or older in {path}, got version "
                f"{version}; start the version of dlae-server that wrote it"
            )

    def _require_present(self, path: Path) -> None:
        version = self._version()
        if version < len(MIGRATIONS):
            raise CannotStart(
                f"expected a store of version {len(MIGRATIONS)} in {path}, got version {version}; "
                "start dlae-server once, which brings it up to date"
            )

    def _require_whole(self, path: Path) -> None:
        found = damage(self._connection)
        if found:
            raise CannotStart(
                f"expected a sound database in {path}, got damage ({found[0]}); look at the disk, "
                "then restore a backup with `dlae-server restore`"
            )

    def _migrate(self) -> None:
        version = self._version()
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            # Tables and number change together: who is killed in between finds the old version.
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;"
            )

    def _version(self) -> int:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(version)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commits at the end, or undoes everything where an error comes through."""
        self._connection.execute("BEGIN IMMEDIATE")
        with ExitStack() as on_error:
            on_error.callback(self._connection.execute, "ROLLBACK")
            yield
            on_error.pop_all()
        self._connection.execute("COMMIT")


def damage(connection: sqlite3.Connection, thorough: bool = False) -> list[str]:
    """Returns what is damaged in a database, as sentences of SQLite; nothing where it is sound.

    Args:
        connection: The database.
        thorough: Whether indices are compared with their tables and references followed too, which
            takes several times as long.
    """
    check = "integrity_check" if thorough else "quick_check"
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}")]
        if thorough and found == ["ok"]:
            rows = connection.execute("PRAGMA foreign_key_check")
            found += [
                f"a row of {table} refers to nothing in {other}" for table, _, other, _ in rows
            ]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT:
            raise
        return [str(error)]
    return [sentence for sentence in found if sentence != "ok"]


def page_number(token: str) -> int:
    """Returns the number that a page token stands for.

    Raises:
        InvalidRequest: No page gave it.
    """
    if not (token.isascii() and token.isdigit() and len(token) < 18):
        raise no_token(token)
    return int(token)


def no_token(token: str) -> InvalidRequest:
    """Returns the error for a token that no page gave."""
    return InvalidRequest(f"expected a page token of this server, got '{token[:40]}'")
