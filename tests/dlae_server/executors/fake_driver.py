"""A driver without Ray: `fake_driver.py FOLDER ADDRESS` has as many nodes as `FOLDER/nodes` says.

It runs workers as `hands` does, and ends when that file says 0.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from dlae_server.executors.cluster import hands
from dlae_server.executors.cluster.hands import Hands

LOCK = threading.Lock()


def _tell(line: dict[str, Any]) -> None:
    with LOCK:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _report(file: Path) -> None:
    told = None
    while nodes := int(file.read_text()):
        if nodes != told:
            node = {"cores": 1, "gpus": 0, "memory_bytes": 1 << 30}
            _tell({"cluster": {"nodes": [node] * nodes, "foreign": {**node, "cores": 0}}})
        told = nodes
        time.sleep(0.02)
    os._exit(1)


def _follow(number: int, one: Hands, order: dict[str, Any]) -> None:
    for line in one.run(order):
        _tell({"run": number, **line})


def main() -> None:
    """Serves until standard input ends."""
    hands.FOLDER_SECONDS = 0.1
    threading.Thread(target=_report, args=(Path(sys.argv[1]) / "nodes",), daemon=True).start()
    workers: dict[int, Hands] = {}
    for text in sys.stdin:
        order = json.loads(text)
        if "start" in order:
            one = workers[order["start"]] = Hands()
            arguments = (order["start"], one, order)
            threading.Thread(target=_follow, args=arguments, daemon=True).start()
            continue
        for what, number in order.items():
            getattr(workers[number], what)()
    os._exit(0)


if __name__ == "__main__":
    main()
