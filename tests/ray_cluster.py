"""A Ray cluster of several nodes on this machine, which leaves no process behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Of shared memory, which nothing of ours uses.
OBJECT_BYTES = 80_000_000
START = "from ray.scripts.scripts import main; main()"


class RayCluster:
    """Nodes with one core each; the first is the head.

    Attributes:
        address: Where a driver finds it.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._port = _free_port()
        self._nodes: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{self._port}"

    def start_head(self, cores: int = 1) -> int:
        """Starts the head; returns its process."""
        place = ["--head", f"--port={self._port}", f"--temp-dir={self._scratch}"]
        return self._start(cores, *place, "--include-dashboard=false", "--disable-usage-stats")

    def start_node(self, cores: int = 1) -> int:
        """Starts another node; returns its process."""
        return self._start(cores, f"--address={self.address}")

    def kill(self, pid: int) -> None:
        """Ends a node, and all that runs on it, without a farewell."""
        for node in self._nodes:
            if node.pid == pid:
                os.killpg(pid, signal.SIGKILL)
                node.wait()

    def stop(self) -> None:
        """Ends all nodes."""
        for node in self._nodes:
            with suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()

    def _start(self, cores: int, *place: str) -> int:
        log = self._scratch / f"node{len(self._nodes)}.log"
        sizes = [f"--num-cpus={cores}", "--num-gpus=0", f"--object-store-memory={OBJECT_BYTES}"]
        command = [sys.executable, "-c", START, "start", "--block", "--include-log-monitor=false"]
        with log.open("wb") as out:
            node = subprocess.Popen(
                [*command, *place, *sizes],
                stdout=out,
                stderr=out,
                cwd=self._scratch,
                env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
                start_new_session=True,
            )
        self._nodes.append(node)
        deadline = time.monotonic() + 40
        while b"block forever" not in log.read_bytes():
            assert node.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return node.pid


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Gives a cluster that has no node yet. Names of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp", ignore_cleanup_errors=True) as scratch:
        cluster = RayCluster(Path(scratch))
        try:
            yield cluster
        finally:
            cluster.stop()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
