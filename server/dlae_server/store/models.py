"""Versions of models on disk, and what has happened to them."""

from dlae.v1 import models_pb2 as pb
from dlae_server.access.projects import DEFAULT, key_of, name_of, parted
from dlae_server.errors import InvalidRequest, ModelNotFound
from dlae_server.models.registry import Version, parse_reference
from dlae_server.store.connection import Connection, no_token, page_number

# Aliases have no blanks in them.
_MODEL = (
    "SELECT model, (SELECT GROUP_CONCAT(alias, ' ') FROM aliases "
    "WHERE aliases.name = models.name AND aliases.version = models.version) FROM models"
)


class Models(Connection):
    """Versions of models, and the log of what happened to them.

    Names are as `access.projects.key_of` writes them.
    """

    def model(self, name: str, version: Version) -> pb.Model:
        """Returns a version of a model, by number or alias; the newest where None is given.

        Raises:
            ModelNotFound: There is no such model, version or alias.
        """
        number = self._aliased(name, version) if isinstance(version, str) else version
        row = self._connection.execute(
            f"{_MODEL} WHERE name = ? AND (? IS NULL OR version = ?) ORDER BY version DESC LIMIT 1",
            (name, number, number),
        ).fetchone()
        if row is None:
            raise ModelNotFound(name_of(name) if version is None else f"{name_of(name)}@{version}")
        return _model(*row)

    def models(
        self, size: int, token: str, name: str = "", project: str | None = None
    ) -> tuple[list[pb.Model], str]:
        """Returns a page of models by name, the newest first, and the token of the next page.

        Args:
            size: Most models of the page.
            token: Token of the page, empty for the first.
            name: Name whose versions are wanted; empty for all.
            project: Project whose models are wanted; None for those of all.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        after, version = _place(token) if token else ("", 0)
        rows = self._connection.execute(
            f"{_MODEL} WHERE (name > ?1 OR (name = ?1 AND version < ?2)) "
            "AND (?3 = '' OR name = ?3) AND (?4 IS NULL OR project = ?4) "
            "ORDER BY name, version DESC LIMIT ?5",
            (after, version, name, project, size + 1),
        ).fetchall()
        found = [_model(*row) for row in rows[:size]]
        if len(rows) <= size:
            return found, ""
        last = found[-1]
        return found, f"{key_of(last.project, last.name)}@{last.version}"

    def bundles(self) -> set[str]:
        """Returns the identifiers of the files of all models."""
        return {bundle for (bundle,) in self._connection.execute("SELECT bundle FROM models")}

    def changes(self, name: str, size: int, token: str) -> tuple[list[pb.ModelChange], str]:
        """Returns a page of what happened to a name, the latest first, and the next page's token.

        Raises:
            InvalidRequest: A token that no page gave.
        """
        before = page_number(token) if token else 1 << 62
        rows = self._connection.execute(
            "SELECT number, change FROM model_changes WHERE name = ? AND number < ? "
            "ORDER BY number DESC LIMIT ?",
            (name, before, size + 1),
        ).fetchall()
        following = str(rows[size - 1][0]) if len(rows) > size else ""
        return [_change(*row) for row in rows[:size]], following

    def _add(self, model: pb.Model, change: pb.ModelChange) -> None:
        """Stores a model as the next version of its name in its project, which is filled in."""
        key = key_of(model.project, model.name)
        (model.version,) = self._connection.execute(
            "INSERT INTO model_names VALUES (?, 1) ON CONFLICT (name) "
            "DO UPDATE SET last_version = last_version + 1 RETURNING last_version",
            (key,),
        ).fetchone()
        model.bundle = model.bundle or model.job_id
        self._connection.execute(
            "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)",
            (
                key,
                model.version,
                model.bundle,
                model.job_id or None,
                model.SerializeToString(),
                model.project or DEFAULT,
            ),
        )
        change.kind, change.version = pb.ModelChange.KIND_STORED, model.version
        self._note(key, change)

    def _note(self, name: str, change: pb.ModelChange) -> None:
        """Writes down that something has happened."""
        change.name = name_of(name)
        change.time.GetCurrentTime()
        self._connection.execute(
            "INSERT INTO model_changes (name, change) VALUES (?, ?)",
            (name, change.SerializeToString()),
        )

    def _aliased(self, name: str, alias: str) -> int:
        """Returns the version that an alias means.

        Raises:
            ModelNotFound: There is no such alias.
        """
        row = self._connection.execute(
            "SELECT version FROM aliases WHERE name = ? AND alias = ?", (name, alias)
        ).fetchone()
        if row is None:
            raise ModelNotFound(f"{name_of(name)}@{alias}")
        return int(row[0])


def _model(blob: bytes, aliases: str | None) -> pb.Model:
    model = pb.Model.FromString(blob)
    # What was stored before there were other bundles than those of jobs.
    model.bundle = model.bundle or model.job_id
    model.project = model.project or DEFAULT
    model.aliases.extend(sorted(aliases.split()) if aliases else ())
    return model


def _change(number: int, blob: bytes) -> pb.ModelChange:
    change = pb.ModelChange.FromString(blob)
    change.number = number
    return change


def _place(token: str) -> tuple[str, int]:
    """Returns name, as the store writes it, and version of the last model of a page."""
    project, reference = parted(token)
    try:
        name, version = parse_reference(reference)
    except InvalidRequest:
        raise no_token(token) from None
    if not isinstance(version, int):
        raise no_token(token)
    return key_of(project, name), version
