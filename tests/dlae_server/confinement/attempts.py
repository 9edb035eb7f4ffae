"""A worker that tries what it may not: `python attempts.py JOB OUTSIDE`; tells what it could do."""

import ctypes
import json
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dlae_server.confinement.rights import confine, confine_to

PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS = 3, 39


def main() -> None:
    """Gives up its rights and tries everything."""
    job, outside = Path(sys.argv[1]), Path(sys.argv[2])
    start = time.perf_counter()
    confine("jobs", True)
    seconds = time.perf_counter() - start
    data_dir = job.parents[1]
    root = data_dir.parent / "root"
    attempts: dict[str, Callable[[], object]] = {
        "read a data file": (root / "X.h5").read_bytes,
        "read by a link in a data root": (root / "link").read_bytes,
        "read elsewhere": (outside / "patients").read_bytes,
        "read tokens": (data_dir / "tokens.json").read_bytes,
        "read the store": (data_dir / "dlae.db").read_bytes,
        "read another process": Path(f"/proc/{os.getppid()}/environ").read_bytes,
        "write in the jobs": (job / "work").mkdir,
        "write temporary files": tempfile.mkstemp,
        "write elsewhere": lambda: (outside / "new").write_text(""),
        "write a data file": lambda: (root / "X.h5").write_text(""),
        "remove a data file": (root / "X.h5").unlink,
        "write a model": lambda: (data_dir / "models" / "new").write_text(""),
        "make a link": lambda: (job / "link").symlink_to(outside),
        "run a program": lambda: os.waitstatus_to_exitcode(os.spawnvp(os.P_WAIT, "true", ["true"])),
        "end another process": lambda: os.kill(os.getppid(), 0),
        "connect": lambda: socket.create_connection(("127.0.0.1", 1), 0.1),
        "send a datagram": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "talk to itself": socket.socketpair,
    }
    told: dict[str, object] = {name: _could(attempt) for name, attempt in attempts.items()}
    confine_to(job)
    told["write in its job"] = _could(lambda: (job / "log").write_text(""))
    told["write in another job"] = _could((job.parent / "other").mkdir)
    told |= {
        "seconds": seconds,
        "umask": os.umask(0),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "memory is readable": ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
        "gains nothing": ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "goes first": Path("/proc/self/oom_score_adj").read_text().strip(),
        "scratch": tempfile.gettempdir(),
    }
    print(json.dumps(told), flush=True)  # noqa: T201 - read by the test
    sys.stdin.read()


def _could(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return False
    return True


if __name__ == "__main__":
    main()
