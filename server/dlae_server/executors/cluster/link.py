"""The line to the driver, the process that knows Ray; renewed whenever it breaks."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
DRIVER = (sys.executable, "-m", "dlae_server.executors.cluster.driver")
# Modules are never taken from the folder where the server was started; nobody is told of its use.
ENVIRONMENT = {"PYTHONSAFEPATH": "1", "RAY_USAGE_STATS_ENABLED": "0"}
LINE_BYTES = 64 << 20
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
END_SECONDS = 5.0


class Link:
    """Keeps a driver running, and brings lines to it and from it."""

    def __init__(
        self,
        address: str,
        log: Path,
        heard: Callable[[dict[str, Any]], None],
        lost: Callable[[], None],
        command: tuple[str, ...] = DRIVER,
    ) -> None:
        """Prepares it.

        Args:
            address: Of the cluster, as Ray knows it.
            log: Where the driver writes what is meant for people.
            heard: Takes each line of the driver.
            lost: Hears that the driver is gone.
            command: Program of the driver.
        """
        self._log = log
        self._heard = heard
        self._lost = lost
        self._command = (*command, address)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins to keep a driver running."""
        self._keeper = asyncio.create_task(self._keep())

    def tell(self, line: dict[str, Any]) -> None:
        """Brings a line to the driver, where there is one."""
        if self._process and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def close(self) -> None:
        """Ends the driver; it lets go of what it has on the cluster."""
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process and process.returncode is None:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _keep(self) -> None:
        wait = FIRST_WAIT
        while True:
            heard_of_it = await self._follow()
            self._lost()
            wait = FIRST_WAIT if heard_of_it else min(2 * wait, LONGEST_WAIT)
            LOG.warning("the driver of the cluster is gone; another starts in %g s", wait)
            await asyncio.sleep(wait)

    async def _follow(self) -> bool:
        """Runs one driver to its end; returns whether it has told anything."""
        try:
            with self._log.open("ab") as errors:
                process = self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                    limit=LINE_BYTES,
                    env={**os.environ, **ENVIRONMENT},
                    start_new_session=True,
                )
        except OSError as error:
            LOG.error("the driver of the cluster cannot be started: %s", error)
            return False
        told = False
        assert process.stdout
        async for line in process.stdout:
            if line.endswith(b"\n"):
                told = True
                self._heard(json.loads(line))
        await process.wait()
        return told
