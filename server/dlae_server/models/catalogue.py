"""What a reference to a model means, remembered until the store changes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dlae.v1 import models_pb2
from dlae_server.access.projects import DEFAULT, key_of
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import parse_reference
from dlae_server.serving.host import Target
from dlae_server.settings import Settings


@dataclass(frozen=True)
class Entry:
    """A model in the registry.

    Attributes:
        reference: `name@version`.
        model: What it is.
        folder: Where its bundle lies.
    """

    reference: str
    model: models_pb2.Model
    folder: Path

    @cached_property
    def target(self) -> Target:
        """It, as the host of loaded models knows it."""
        return target_of(self.model, self.folder)


def target_of(model: models_pb2.Model, folder: Path) -> Target:
    """Returns a model as the host knows it: models of two projects may have one name."""
    return Target(key_of(model.project, model.name), model.version, folder)


class Catalogue:
    """Finds models without asking the store's thread each time.

    The store counts what is written, before it is committed: what this class remembers is never
    older than what a client has been told.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._journal = journal
        self._folder = settings.data_dir / "models"
        self._changes = journal.store.rows_written
        self._entries: dict[tuple[str, str], Entry] = {}

    async def find(self, reference: str, project: str = DEFAULT) -> Entry:
        """Returns the model that `name` (the newest version), `name@version` or `name@alias` means.

        Args:
            reference: Of a project.
            project: Whose model.

        Raises:
            InvalidRequest: It is no reference.
            ModelNotFound: There is no such model, version or alias.
            StorageFailed: The store cannot be read.
        """
        changes = self._journal.store.rows_written
        if changes != self._changes:
            self._entries.clear()
            self._changes = changes
        if entry := self._entries.get((project, reference)):
            return entry
        name, version = parse_reference(reference)
        model = await self._journal.call(self._journal.store.model, key_of(project, name), version)
        entry = Entry(f"{model.name}@{model.version}", model, self.folder(model))
        # What was read may be newer than `changes`, never older; it goes with the next look then.
        if changes == self._changes:
            self._entries[project, reference] = entry
        return entry

    def folder(self, model: models_pb2.Model) -> Path:
        """Returns where a model's bundle lies."""
        return self._folder / model.bundle
