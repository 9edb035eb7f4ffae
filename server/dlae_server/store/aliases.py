"""Aliases of versions: set, rolled back and removed, each with who and why."""

from dlae.v1.models_pb2 import Model, ModelChange
from dlae_server.access.projects import key_of, name_of
from dlae_server.errors import NoEarlierVersion
from dlae_server.models.registry import Version
from dlae_server.models.signature import Signature
from dlae_server.store.models import Models


class Aliases(Models):
    """Names of versions that can move."""

    def set_alias(self, name: str, version: Version, alias: str, by: Signature) -> Model:
        """Has an alias mean a version; returns it. Nothing is noted where it meant that already.

        Raises:
            ModelNotFound: There is no such version.
        """
        with self._transaction():
            model = self.model(name, version)
            if alias not in model.aliases:
                self._move(model, alias, ModelChange.KIND_ALIAS_SET, by)
            return self.model(name, model.version)

    def roll_back_alias(self, name: str, alias: str, by: Signature) -> Model:
        """Has an alias mean what it meant before; returns that version.

        Raises:
            ModelNotFound: There is no such alias.
            NoEarlierVersion: It has meant nothing else that is still there.
        """
        with self._transaction():
            others = self._numbers(name) - {self._aliased(name, alias)}
            earlier = [number for number in self._course(name, alias)[:-1] if number in others]
            if not earlier:
                raise NoEarlierVersion(f"{name_of(name)}@{alias}")
            model = self.model(name, earlier[-1])
            self._move(model, alias, ModelChange.KIND_ALIAS_ROLLED_BACK, by)
            return self.model(name, model.version)

    def remove_alias(self, name: str, alias: str, by: Signature) -> Model:
        """Removes an alias; returns the version that it meant.

        Raises:
            ModelNotFound: There is no such alias.
        """
        with self._transaction():
            model = self.model(name, alias)
            self._drop(model, alias, by)
            return self.model(name, model.version)

    def _move(self, model: Model, alias: str, kind: "ModelChange.Kind", by: Signature) -> None:
        key = key_of(model.project, model.name)
        row = self._connection.execute(
            "SELECT version FROM aliases WHERE name = ? AND alias = ?", (key, alias)
        ).fetchone()
        self._connection.execute(
            "INSERT INTO aliases VALUES (?, ?, ?) ON CONFLICT (name, alias) "
            "DO UPDATE SET version = excluded.version",
            (key, alias, model.version),
        )
        change = ModelChange(kind=kind, version=model.version, alias=alias, who=by.who, why=by.why)
        change.previous_version = row[0] if row else 0
        self._note(key, change)

    def _drop(self, model: Model, alias: str, by: Signature) -> None:
        key = key_of(model.project, model.name)
        self._connection.execute("DELETE FROM aliases WHERE name = ? AND alias = ?", (key, alias))
        kind = ModelChange.KIND_ALIAS_REMOVED
        self._note(
            key,
            ModelChange(
                kind=kind,
                version=model.version,
                previous_version=model.version,
                alias=alias,
                who=by.who,
                why=by.why,
            ),
        )

    def _numbers(self, name: str) -> set[int]:
        rows = self._connection.execute("SELECT version FROM models WHERE name = ?", (name,))
        return {number for (number,) in rows}

    def _course(self, name: str, alias: str) -> list[int]:
        """Returns the versions that an alias has meant, oldest first, without what was undone."""
        course: list[int] = []
        rows = self._connection.execute(
            "SELECT change FROM model_changes WHERE name = ? ORDER BY number", (name,)
        )
        for change in (ModelChange.FromString(blob) for (blob,) in rows):
            if change.alias != alias:
                continue
            if change.kind == ModelChange.KIND_ALIAS_SET:
                course.append(change.version)
            elif change.kind == ModelChange.KIND_ALIAS_REMOVED:
                course.clear()
            else:
                course.pop()
                while course[-1] != change.version:
                    course.pop()
        return course
