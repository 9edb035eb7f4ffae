"""Question: what does the audit log add to a Predict call?

Real server processes with copies of one folder: without a log, with one, with one that is signed,
and with one that records every output too. A client process asks for one image of 128 x 128
(64 KiB), one request at a time and eight at once. Rounds alternate; medians of the differences
within rounds, in milliseconds per request. The network computes next to nothing, so that nothing
hides what is added. Last, what the log by itself takes: adding a record to it on the event loop,
and writing one.

    python -m benchmarks.audit [audit] [signed] [predictions]
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.access import LOAD, cpu_seconds, train_models
from benchmarks.networks import SIDE
from benchmarks.quiet import settle
from dlae_server.access.guard import Caller
from dlae_server.audit.chain import Chain
from dlae_server.audit.log import Log
from dlae_server.audit.recording import Audit

GOAL_MS = 0.1
SECONDS = 1.5
ROUNDS = int(os.environ.get("DLAE_AUDIT_ROUNDS", "7"))
RECORDS = 20_000
# What serves -> its options; KEY: the file of a key.
KINDS: dict[str, tuple[str, ...]] = {
    "off": ("--no-audit",),
    "audit": (),
    "signed": ("--audit-key", "KEY"),
    "predictions": ("--audit-predictions",),
}


def main() -> None:
    """Measures and prints one line of JSON per number of callers, and one of the log itself."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "key").write_bytes(os.urandom(32))
        (folder / "key").chmod(0o600)
        train_models(folder, ["pixel"])
        with ExitStack() as stack:
            kinds = ["off", *sys.argv[1:]] if sys.argv[1:] else list(KINDS)
            servers = {kind: stack.enter_context(_server(folder, kind)) for kind in kinds}
            for count in (1, 8):
                rows = [_round(servers, count) for _ in range(ROUNDS)]
                print(json.dumps({"benchmark": "audit", "callers": count, **_summary(rows)}))
        print(json.dumps({"benchmark": "audit", "what": "log", **_log(folder / "log")}))


@contextmanager
def _server(folder: Path, kind: str) -> Iterator[tuple[str, int]]:
    data = folder / kind
    shutil.copytree(folder / "server", data)
    # What the training recorded is of no concern.
    shutil.rmtree(data / "audit", ignore_errors=True)
    options = [str(folder / "key") if one == "KEY" else one for one in KINDS[kind]]
    place = ["--data-dir", str(data), "--listen", "127.0.0.1:0", "--no-metrics"]
    command = [sys.executable, "-m", "dlae_server.main", "--log-level", "warning"]
    process = subprocess.Popen([*command, *place, *options])
    card = data / "server.json"
    try:
        while not card.exists():
            time.sleep(0.01)
        yield json.loads(card.read_text())["listen"], process.pid
    finally:
        process.terminate()
        process.wait()


def _round(servers: dict[str, tuple[str, int]], count: int) -> dict[str, list[float]]:
    """Returns milliseconds of time, and of the server's processors, per request."""
    row = {}
    settle()
    for kind, (address, process) in servers.items():
        before = cpu_seconds(process)
        arguments = [address, "pixel", "", "", str(SIDE), str(count), str(SECONDS), "open"]
        done = subprocess.run(
            [sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True
        )
        rate = float(done.stdout.split()[0])
        spent = (cpu_seconds(process) - before) / (rate * SECONDS)
        row[kind] = [1e3 / rate, 1e3 * spent]
    return row


def _summary(rows: list[dict[str, list[float]]]) -> dict[str, object]:
    told: dict[str, object] = {"goal_ms": GOAL_MS, "rounds": len(rows)}
    for kind in rows[0]:
        both = zip(*(row[kind] for row in rows), strict=True)
        took, spent = (round(statistics.median(column), 4) for column in both)
        told[kind] = {"ms": took, "cpu_ms": spent}
        if kind != "off":
            differences = [_more(row[kind], row["off"]) for row in rows]
            more = zip(*differences, strict=True)
            took, spent = (round(statistics.median(column), 4) for column in more)
            told[f"{kind} more"] = {"ms": took, "cpu_ms": spent}
    return told


def _more(these: list[float], those: list[float]) -> list[float]:
    return [this - that for this, that in zip(these, those, strict=True)]


def _log(folder: Path) -> dict[str, float]:
    """Returns milliseconds that a record of a small prediction takes."""
    log = Log(Chain(folder))
    audit, caller, image = Audit(log), Caller("anna", "predictor"), bytes(4096)
    start, before = time.perf_counter(), time.process_time()
    on_loop = 0.0
    for _ in range(RECORDS):
        begin = time.perf_counter()
        note = audit.note("/dlae.v1.PredictionService/Predict", "0123456789ab")
        note.peer = "ipv4:127.0.0.1:50000"
        note.begin(None, caller)
        note.facts = {"model": "tissue@1", "model_sha256": "0" * 64}
        note.content = (image,)
        note.end("OK")
        on_loop += time.perf_counter() - begin
    log.close()
    return {
        "adding_ms": round(1e3 * on_loop / RECORDS, 4),
        "cpu_ms": round(1e3 * (time.process_time() - before) / RECORDS, 4),
        "records_per_s": round(RECORDS / (time.perf_counter() - start)),
        "bytes": round((folder / "audit" / "000001.jsonl").stat().st_size / RECORDS),
    }


if __name__ == "__main__":
    main()
