"""Trains without a server: `python -m dlae_core.training CONFIG WORKSPACE`.

Events are written to standard output, one line of JSON each, the folder of the trained model last.
Ctrl-C, or SIGTERM, stops after the current step, with a checkpoint: the same command goes on from
it. For several machines, see docs/several-devices.md.
"""

import json
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from dlae_core.config import load_config
from dlae_core.errors import DlaeError, TrainingCancelled
from dlae_core.events import Event
from dlae_core.training import train

_USAGE = "usage: python -m dlae_core.training CONFIG WORKSPACE"
# As of a shell: a wrong command line, and a program that was interrupted.
_WRONG_COMMAND, _INTERRUPTED = 2, 130


def main(arguments: list[str]) -> int:
    """Trains what a file configures; returns the exit code."""
    if len(arguments) != 2:
        sys.stderr.write(f"{_USAGE}\n")
        return _WRONG_COMMAND
    source, workspace = map(Path, arguments)
    stop = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        stop.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, interrupted)
    try:
        config = load_config(source.read_text(encoding="utf-8")).config
        bundle = train(config, workspace, _tell, stop.is_set)
    except TrainingCancelled as error:
        sys.stderr.write(f"{error}\n")
        return _INTERRUPTED
    except (DlaeError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _write({"bundle": str(bundle)})
    return 0


def _tell(event: Event) -> None:
    _write({"event": type(event).__name__, **asdict(event)})


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
