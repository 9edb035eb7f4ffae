"""Data files on disk: what they are, their names, and who needs them."""

import json
from pathlib import Path
from typing import Protocol

from dlae.v1.datasets_pb2 import Dataset, DatasetVersion
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.errors import DatasetInUse, DatasetNotFound
from dlae_server.jobs.states import FINISHED
from dlae_server.store.connection import Connection, page_number

# Of the users of a file.
MOST_USERS = 100
_ENDED = ", ".join(map(str, sorted(FINISHED)))


class Reference(Protocol):
    """What `datasets/references.py` makes of a text."""

    @property
    def sha256(self) -> str:
        """The content; empty where it is named."""

    @property
    def name(self) -> str:
        """The name; empty where the content is given."""

    @property
    def version(self) -> int | None:
        """Version of the name; None: the newest."""


class Datasets(Connection):
    """Data files by content, and versions of names that mean them."""

    def dataset(self, reference: Reference) -> Dataset:
        """Returns the file that a reference means.

        Raises:
            DatasetNotFound: There is none.
        """
        sha256 = reference.sha256 or self._named(reference)
        row = self._connection.execute(
            "SELECT dataset FROM datasets WHERE sha256 = ?", (sha256,)
        ).fetchone()
        if row is None:
            raise DatasetNotFound(str(reference))
        return self._complete(row[0])

    def datasets(self, size: int, token: str, name: str = "") -> tuple[list[Dataset], str]:
        """Returns a page of files, the latest first, and the token of the next page.

        Args:
            size: Most files of the page.
            token: Token of the page, empty for the first.
            name: Name whose versions are wanted; empty for all.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        before = page_number(token) if token else 1 << 62
        rows = self._connection.execute(
            "SELECT number, dataset FROM datasets WHERE number < ?1 AND (?2 = '' OR sha256 IN "
            "(SELECT sha256 FROM dataset_versions WHERE name = ?2)) ORDER BY number DESC LIMIT ?3",
            (before, name, size + 1),
        ).fetchall()
        following = str(rows[size - 1][0]) if len(rows) > size else ""
        return [self._complete(blob) for _, blob in rows[:size]], following

    def has_dataset(self, sha256: str) -> bool:
        """Returns whether a file is there."""
        row = self._connection.execute("SELECT 1 FROM datasets WHERE sha256 = ?", (sha256,))
        return row.fetchone() is not None

    def dataset_hashes(self) -> set[str]:
        """Returns the SHA-256 of every file."""
        return {sha256 for (sha256,) in self._connection.execute("SELECT sha256 FROM datasets")}

    def dataset_bytes(self) -> int:
        """Returns the length of all files."""
        (total,) = self._connection.execute(
            "SELECT COALESCE(SUM(size_bytes), 0) FROM datasets"
        ).fetchone()
        return int(total)

    def add_dataset(self, dataset: Dataset, name: str) -> Dataset:
        """Stores a file, unless it is there, and has it be the newest version of a name, if any."""
        with self._transaction():
            dataset.create_time.GetCurrentTime()
            self._connection.execute(
                "INSERT OR IGNORE INTO datasets (sha256, size_bytes, dataset) VALUES (?, ?, ?)",
                (dataset.sha256, dataset.size_bytes, dataset.SerializeToString()),
            )
            if name:
                self._name(dataset.sha256, name)
            (blob,) = self._connection.execute(
                "SELECT dataset FROM datasets WHERE sha256 = ?", (dataset.sha256,)
            ).fetchone()
            return self._complete(blob)

    def delete_dataset(self, reference: Reference, force: bool) -> tuple[Dataset, bool]:
        """Deletes a version of a name, and the file with its last name; or a file with all names.

        Args:
            reference: What is to go.
            force: Whether to delete a file although a model was trained with it.

        Returns:
            The file as it was, and whether it is deleted itself.

        Raises:
            DatasetNotFound: There is no such file.
            DatasetInUse: It is needed.
        """
        with self._transaction():
            dataset = self.dataset(reference)
            if not reference.sha256 and len(dataset.versions) > 1:
                version = reference.version or self._newest(reference.name)
                self._connection.execute(
                    "DELETE FROM dataset_versions WHERE name = ? AND version = ?",
                    (reference.name, version),
                )
                return dataset, False
            users = self._jobs(dataset.sha256) + ([] if force else self._models(dataset.sha256))
            if users:
                raise DatasetInUse(str(reference), users)
            for table in ("dataset_versions", "datasets"):
                self._connection.execute(f"DELETE FROM {table} WHERE sha256 = ?", (dataset.sha256,))
            return dataset, True

    def dataset_users(self, sha256: str) -> list[str]:
        """Returns the jobs that have not ended and need a file, and models trained with it."""
        return (self._jobs(sha256) + self._models(sha256))[:MOST_USERS]

    def unused_datasets(self, count: int) -> list[Dataset]:
        """Returns files that nothing needs, the largest first."""
        rows = self._connection.execute("SELECT dataset FROM datasets ORDER BY size_bytes DESC")
        found: list[Dataset] = []
        for (blob,) in rows.fetchmany(20 * count):
            dataset = self._complete(blob)
            if len(found) < count and not self.dataset_users(dataset.sha256):
                found.append(dataset)
        return found

    def _require_data(self, config: str) -> None:
        """Raises `InvalidConfig` where a job would need a file that has just been deleted."""
        paths = json.loads(config).get("paths", {}).values()
        for path in (Path(text) for text in paths if isinstance(text, str)):
            kept = path.parent == self.folder / "datasets"
            if kept and not self.has_dataset(path.stem):
                message = f"{DatasetNotFound(f'sha256:{path.stem}')}"
                raise InvalidConfig([Violation("paths", "DATASET_NOT_FOUND", message)])

    def _jobs(self, sha256: str) -> list[str]:
        rows = self._connection.execute(
            f"SELECT id FROM jobs WHERE state NOT IN ({_ENDED}) AND instr(config, ?) LIMIT ?",
            (f"/datasets/{sha256}.", MOST_USERS),
        )
        return [f"job {job_id}" for (job_id,) in rows]

    def _models(self, sha256: str) -> list[str]:
        rows = self._connection.execute(
            "SELECT name, version FROM models WHERE instr(model, ?) ORDER BY name, version LIMIT ?",
            (sha256.encode(), MOST_USERS),
        )
        return [f"model {name}@{version}" for name, version in rows]

    def _complete(self, blob: bytes) -> Dataset:
        """Returns a file with its names."""
        dataset = Dataset.FromString(blob)
        rows = self._connection.execute(
            "SELECT name, version FROM dataset_versions WHERE sha256 = ? ORDER BY name, version",
            (dataset.sha256,),
        )
        dataset.versions.extend(DatasetVersion(name=name, version=number) for name, number in rows)
        return dataset

    def _named(self, reference: Reference) -> str:
        version = reference.version or self._newest(reference.name)
        row = self._connection.execute(
            "SELECT sha256 FROM dataset_versions WHERE name = ? AND version = ?",
            (reference.name, version),
        ).fetchone()
        if row is None:
            raise DatasetNotFound(str(reference))
        return str(row[0])

    def _newest(self, name: str) -> int:
        """Returns the newest version of a name; 0 where it has none."""
        (version,) = self._connection.execute(
            "SELECT COALESCE(MAX(version), 0) FROM dataset_versions WHERE name = ?", (name,)
        ).fetchone()
        return int(version)

    def _name(self, sha256: str, name: str) -> None:
        """Has a file be the newest version of a name, which it may be already."""
        newest = self._connection.execute(
            "SELECT sha256 FROM dataset_versions WHERE name = ? AND version = ?",
            (name, self._newest(name)),
        ).fetchone()
        if newest == (sha256,):
            return
        (version,) = self._connection.execute(
            "INSERT INTO dataset_names VALUES (?, 1) ON CONFLICT (name) "
            "DO UPDATE SET last_version = last_version + 1 RETURNING last_version",
            (name,),
        ).fetchone()
        self._connection.execute(
            "INSERT INTO dataset_versions VALUES (?, ?, ?)", (name, version, sha256)
        )
