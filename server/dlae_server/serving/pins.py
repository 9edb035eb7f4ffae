"""Models that an operator pins: always loaded, and switched when the next version is ready.

The name of a pinned model means the version that is loaded until a newer one is loaded and warm:
nobody waits for a switch. Any other name means its newest version at once, and who asks for that
first waits until it is loaded.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from dlae_core.errors import DlaeError
from dlae_server.access.projects import DEFAULT, parted
from dlae_server.models.catalogue import Catalogue, Entry
from dlae_server.serving.host import Host, Target

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
# A model that cannot be loaded is tried again after this long.
AGAIN_SECONDS = 60.0


class Pins:
    """Keeps models loaded."""

    def __init__(self, references: Sequence[str], catalogue: Catalogue, host: Host) -> None:
        """Begins with none loaded.

        Args:
            references: `name`, `name@version` or `name@alias`, after `project/` where it is not
                `default`; they need not exist yet.
            catalogue: What they mean.
            host: Where they are loaded.
        """
        self._references = tuple(parted(reference) for reference in references)
        self._catalogue = catalogue
        self._host = host
        self._current: dict[tuple[str, str], Entry] = {}
        self._failed: dict[Target, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keeps the models loaded from now on."""
        if self._references:
            self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Lets the models go."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def current(self, reference: str, project: str = DEFAULT) -> Entry | None:
        """Returns the loaded version that a pinned reference means; None where it is not pinned."""
        entry = self._current.get((project, reference))
        return entry if entry and self._host.is_loaded(entry.target) else None

    async def look(self) -> None:
        """Loads what is pinned and not loaded; the versions before may then be unloaded."""
        for project, reference in self._references:
            try:
                entry = await self._catalogue.find(reference, project)
            except DlaeError:
                # Not there yet, or no longer.
                self._current.pop((project, reference), None)
                continue
            await self._load((project, reference), entry)
        self._host.kept = frozenset(entry.target for entry in self._current.values())

    async def _load(self, reference: tuple[str, str], entry: Entry) -> None:
        target = entry.target
        if self._failed.get(target, 0.0) > time.monotonic():
            return
        # It stays in spite of whatever is loaded next, from the beginning.
        self._host.kept |= {target}
        try:
            await self._host.load(target)
        except DlaeError as error:
            LOG.warning("cannot load the pinned model %s: %s", entry.reference, error)
            self._failed[target] = time.monotonic() + AGAIN_SECONDS
            return
        self._current[reference] = entry

    async def _keep(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)
