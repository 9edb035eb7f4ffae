"""Data files on disk: what they are, their names, and who needs them."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from dlae.v1.datasets_pb2 import Dataset, DatasetVersion
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.access.projects import DEFAULT, key_of, name_of
from dlae_server.errors import DatasetInUse, DatasetNotFound
from dlae_server.jobs.states import FINISHED
from dlae_server.store.connection import Connection, page_number
from dlae_server.store.needs import PLACES, Needs

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
    """Data files by content, and versions of names that mean them.

    A file that two projects have brought is on the disk once and in the store twice: neither learns
    of the other.
    """

    _needs: Needs | None = None

    def dataset(self, reference: Reference, project: str = DEFAULT) -> Dataset:
        """Returns the file of a project that a reference means.

        Raises:
            DatasetNotFound: There is none.
        """
        sha256 = reference.sha256 or self._named(reference, project)
        row = self._connection.execute(
            "SELECT dataset FROM datasets WHERE sha256 = ? AND project = ?", (sha256, project)
        ).fetchone()
        if row is None:
            raise DatasetNotFound(str(reference))
        return self._complete(row[0], project)

    def datasets(
        self, size: int, token: str, name: str = "", project: str | None = DEFAULT
    ) -> tuple[list[Dataset], str]:
        """Returns a page of files, the latest first, and the token of the next page.

        Args:
            size: Most files of the page.
            token: Token of the page, empty for the first.
            name: Name whose versions are wanted; empty for all.
            project: Whose files; None: everybody's, once for each project.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        before = page_number(token) if token else 1 << 62
        key = key_of(project or "", name) if name else ""
        rows = self._connection.execute(
            "SELECT number, dataset, project FROM datasets WHERE number < ?1 AND (?2 = '' OR "
            "sha256 IN (SELECT sha256 FROM dataset_versions WHERE name = ?2)) AND (?3 IS NULL OR "
            "project = ?3) ORDER BY number DESC LIMIT ?4",
            (before, key, project, size + 1),
        ).fetchall()
        following = str(rows[size - 1][0]) if len(rows) > size else ""
        return [self._complete(blob, owner) for _, blob, owner in rows[:size]], following

    def has_dataset(self, sha256: str, project: str | None = None) -> bool:
        """Returns whether a project has a file; with None, whether any has."""
        row = self._connection.execute(
            "SELECT 1 FROM datasets WHERE sha256 = ?1 AND (?2 IS NULL OR project = ?2)",
            (sha256, project),
        )
        return row.fetchone() is not None

    def has_projects(self) -> bool:
        """Returns whether another project than `default` has files."""
        row = self._connection.execute(
            "SELECT 1 FROM datasets WHERE project != ? LIMIT 1", (DEFAULT,)
        )
        return row.fetchone() is not None

    def dataset_hashes(self) -> set[str]:
        """Returns the SHA-256 of every file."""
        return {sha256 for (sha256,) in self._connection.execute("SELECT sha256 FROM datasets")}

    def dataset_bytes(self, project: str = DEFAULT) -> int:
        """Returns the length of all files of a project."""
        (total,) = self._connection.execute(
            "SELECT COALESCE(SUM(size_bytes), 0) FROM datasets WHERE project = ?", (project,)
        ).fetchone()
        return int(total)

    def add_dataset(self, dataset: Dataset, name: str, project: str = DEFAULT) -> Dataset:
        """Stores a file, unless it is there, and has it be the newest version of a name, if any."""
        file = (dataset.sha256, project)
        with self._transaction():
            dataset.create_time.GetCurrentTime()
            self._connection.execute(
                "INSERT OR IGNORE INTO datasets (sha256, project, size_bytes, dataset) "
                "VALUES (?, ?, ?, ?)",
                (*file, dataset.size_bytes, dataset.SerializeToString()),
            )
            if name:
                self._name(dataset.sha256, key_of(project, name), project)
            (blob,) = self._connection.execute(
                "SELECT dataset FROM datasets WHERE sha256 = ? AND project = ?", file
            ).fetchone()
            return self._complete(blob, project)

    def delete_dataset(
        self, reference: Reference, force: bool, project: str = DEFAULT
    ) -> tuple[Dataset, bool]:
        """Deletes a version of a name, and the file with its last name; or a file with all names.

        Args:
            reference: What is to go.
            force: Whether to delete a file although a model was trained with it.
            project: Whose it is.

        Returns:
            The file as it was, and whether the project has it no more.

        Raises:
            DatasetNotFound: There is no such file.
            DatasetInUse: It is needed.
        """
        with self._transaction():
            dataset = self.dataset(reference, project)
            if not reference.sha256 and len(dataset.versions) > 1:
                key = key_of(project, reference.name)
                self._connection.execute(
                    "DELETE FROM dataset_versions WHERE name = ? AND version = ?",
                    (key, reference.version or self._newest(key)),
                )
                return dataset, False
            file = (dataset.sha256, project)
            users = self._jobs(*file) + ([] if force else self._models(*file))
            if users:
                raise DatasetInUse(str(reference), users)
            for table in ("dataset_versions", "datasets"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE sha256 = ? AND project = ?", file
                )
            return dataset, True

    def dataset_users(self, sha256: str, project: str = DEFAULT) -> list[str]:
        """Returns a project's jobs that have not ended and need a file, and its models of it."""
        return (self._jobs(sha256, project) + self._models(sha256, project))[:MOST_USERS]

    def unused_datasets(self, count: int, project: str = DEFAULT) -> list[Dataset]:
        """Returns files of a project that nothing needs, the largest first."""
        rows = self._connection.execute(
            "SELECT dataset FROM datasets WHERE project = ? ORDER BY size_bytes DESC", (project,)
        )
        found: list[Dataset] = []
        for (blob,) in rows.fetchmany(20 * count):
            dataset = self._complete(blob, project)
            if len(found) < count and not self.dataset_users(dataset.sha256, project):
                found.append(dataset)
        return found

    def _require_data(self, config: str, project: str) -> None:
        """Raises `InvalidConfig` where a job would need a file that has just been deleted."""
        paths = json.loads(config).get("paths", {}).values()
        for path in (Path(text) for text in paths if isinstance(text, str)):
            kept = path.parent == self.folder / "datasets"
            if kept and not self.has_dataset(path.stem, project):
                message = f"{DatasetNotFound(f'sha256:{path.stem}')}"
                raise InvalidConfig([Violation("paths", "DATASET_NOT_FOUND", message)])

    def _jobs(self, sha256: str, project: str) -> list[str]:
        jobs = (job_id for job_id, _, owner in self._needing(sha256) if owner == project)
        return [f"job {job_id}" for job_id in islice(jobs, MOST_USERS)]

    def _note_needs(self, job_id: str, config: str) -> None:
        """Notes what a new job needs, as long as there is an index: it is made on demand."""
        if self._needs and self._needs.is_full:
            self._needs = None
        if self._needs:
            self._needs.add(job_id, config)

    def _needing(self, key: str) -> Iterator[tuple[str, str, str]]:
        """Yields jobs that have not ended and may need a job, a bundle or a data file.

        Each with its configuration and its project.
        """
        if self._needs is None:
            named = " OR ".join(f"instr(config, '{place}')" for place in PLACES)
            self._needs = Needs(
                self._connection.execute(
                    f"SELECT id, config FROM jobs WHERE state NOT IN ({_ENDED}) AND ({named})"
                )
            )
        for job_id in self._needs.of(key):
            row = self._connection.execute(
                f"SELECT id, config, project FROM jobs WHERE id = ? AND state NOT IN ({_ENDED})",
                (job_id,),
            ).fetchone()
            if row:
                yield row
            else:
                self._needs.drop(key, job_id)

    def _models(self, sha256: str, project: str) -> list[str]:
        rows = self._connection.execute(
            "SELECT name, version FROM models WHERE instr(model, ?) AND project = ? "
            "ORDER BY name, version LIMIT ?",
            (sha256.encode(), project, MOST_USERS),
        )
        return [f"model {name_of(name)}@{version}" for name, version in rows]

    def _complete(self, blob: bytes, project: str) -> Dataset:
        """Returns a file with the names that a project gave it."""
        dataset = Dataset.FromString(blob)
        rows = self._connection.execute(
            "SELECT name, version FROM dataset_versions WHERE sha256 = ? AND project = ? "
            "ORDER BY name, version",
            (dataset.sha256, project),
        )
        dataset.versions.extend(
            DatasetVersion(name=name_of(key), version=number) for key, number in rows
        )
        return dataset

    def _named(self, reference: Reference, project: str) -> str:
        key = key_of(project, reference.name)
        version = reference.version or self._newest(key)
        row = self._connection.execute(
            "SELECT sha256 FROM dataset_versions WHERE name = ? AND version = ?",
            (key, version),
        ).fetchone()
        if row is None:
            raise DatasetNotFound(str(reference))
        return str(row[0])

    def _newest(self, key: str) -> int:
        """Returns the newest version of a name; 0 where it has none."""
        (version,) = self._connection.execute(
            "SELECT COALESCE(MAX(version), 0) FROM dataset_versions WHERE name = ?", (key,)
        ).fetchone()
        return int(version)

    def _name(self, sha256: str, key: str, project: str) -> None:
        """Has a file be the newest version of a name, which it may be already."""
        newest = self._connection.execute(
            "SELECT sha256 FROM dataset_versions WHERE name = ? AND version = ?",
            (key, self._newest(key)),
        ).fetchone()
        if newest == (sha256,):
            return
        (version,) = self._connection.execute(
            "INSERT INTO dataset_names VALUES (?, 1) ON CONFLICT (name) "
            "DO UPDATE SET last_version = last_version + 1 RETURNING last_version",
            (key,),
        ).fetchone()
        self._connection.execute(
            "INSERT INTO dataset_versions (name, version, project, sha256) VALUES (?, ?, ?, ?)",
            (key, version, project, sha256),
        )
