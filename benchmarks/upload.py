"""Question: how fast does a data file come to a server, and what does it cost to send it again?

A file of samples is uploaded to a real server process: read, sent, written, compared with its hash,
looked into and stored, on the disk. Compared is an empty gRPC service of Python's asyncio, in a
process of its own, that drops what it gets: the same messages, of the same pieces, made out of
memory. Client and server share this machine's cores. Rounds alternate; medians. The hash of the
file is remembered from an earlier upload, but for one row. Processor time is that of both
processes: beside other programs it says more than the rate.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import h5py
import numpy as np

from benchmarks.quiet import settle
from dlae.v1 import datasets_pb2 as pb
from dlae_client import Client
from dlae_client.hashing import Hashes
from dlae_client.uploading import PIECE_BYTES

BYTES = int(os.environ.get("DLAE_UPLOAD_MIB", "512")) << 20
ROUNDS = int(os.environ.get("DLAE_UPLOAD_ROUNDS", "5"))
METHOD = "/raw/Sink"
# Wall clock, and processor time of client and server.
Times = tuple[float, float]
RAW = """
import asyncio, grpc
from dlae.v1.datasets_pb2 import UploadDatasetRequest, UploadDatasetResponse
async def sink(requests, context):
    size = 0
    async for request in requests:
        size += len(request.piece.data)
    return UploadDatasetResponse()
async def main():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    handler = grpc.stream_unary_rpc_method_handler(
        sink, request_deserializer=UploadDatasetRequest.FromString,
        response_serializer=UploadDatasetResponse.SerializeToString)
    handlers = grpc.method_handlers_generic_handler("raw", {"Sink": handler})
    server.add_generic_rpc_handlers([handlers])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""


def main() -> None:
    """Prints one line of JSON per measurement."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        path = _write(folder / "X.h5")
        server, raw = _server(folder / "server"), _raw()
        with server as (address, pid), raw as (channel, raw_pid), Client(address) as client:
            rows = _rounds(client, channel, path, (pid, raw_pid))
    size = BYTES / (1 << 20)
    for name, times in rows.items():
        seconds, processor = (statistics.median(column) for column in zip(*times, strict=True))
        row = {"mib_per_s": round(size / seconds), "ms_per_mib": round(1e3 * processor / size, 2)}
        print(json.dumps({"what": name, **row}))
    pairs = zip(rows["raw stream"], rows["upload"], strict=True)
    ratio = statistics.median(raw[0] / ours[0] for raw, ours in pairs)
    print(json.dumps({"what": "upload over raw stream", "ratio": round(ratio, 2)}))


def _rounds(
    client: Client, raw: grpc.Channel, path: Path, pids: tuple[int, int]
) -> dict[str, list[Times]]:
    rows: dict[str, list[Times]] = {
        name: [] for name in ("raw stream", "upload", "upload, hashed first", "sent before")
    }
    # Written a while ago, a file is remembered.
    time.sleep(2.5)
    sha256 = client.upload(path).dataset.sha256
    for _ in range(ROUNDS):
        client.delete_dataset(f"sha256:{sha256}")
        settle()
        rows["raw stream"].append(_times(lambda: _send(raw), pids))
        rows["upload"].append(_times(lambda: client.upload(path), pids))
        rows["sent before"].append(_times(lambda: client.upload(path), pids))
        client.delete_dataset(f"sha256:{sha256}")
        Hashes().forget(path)
        rows["upload, hashed first"].append(_times(lambda: client.upload(path), pids))
    return rows


def _send(channel: grpc.Channel) -> None:
    piece = bytes(PIECE_BYTES)

    def requests() -> Iterator[pb.UploadDatasetRequest]:
        for offset in range(0, BYTES, PIECE_BYTES):
            request = pb.UploadDatasetRequest()
            request.piece.offset, request.piece.data = offset, piece
            yield request

    channel.stream_unary(
        METHOD,
        request_serializer=pb.UploadDatasetRequest.SerializeToString,
        response_deserializer=pb.UploadDatasetResponse.FromString,
    )(requests())


def _write(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        for number in range(BYTES >> 20):
            values = np.random.default_rng(number).integers(0, 256, 1 << 20, np.uint8)
            file[str(number)] = values
    return path


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    """Runs a server; gives its address and number."""
    place = ["--data-dir", str(folder), "--listen", "127.0.0.1:0", "--no-metrics"]
    command = [sys.executable, "-m", "dlae_server.main", *place]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    card = folder / "server.json"
    while not card.exists():
        time.sleep(0.01)
    try:
        yield json.loads(card.read_text())["listen"], process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _raw() -> Iterator[tuple[grpc.Channel, int]]:
    """Runs the empty service; gives a channel to it and its number."""
    process = subprocess.Popen([sys.executable, "-c", RAW], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    address = f"127.0.0.1:{process.stdout.readline().strip()}"
    try:
        with grpc.insecure_channel(
            address, options=[("grpc.max_send_message_length", -1)]
        ) as channel:
            yield channel, process.pid
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _times(work: Callable[[], object], pids: tuple[int, int]) -> Times:
    before, start = _processor(pids), time.perf_counter()
    work()
    return time.perf_counter() - start, _processor(pids) - before


def _processor(pids: tuple[int, int]) -> float:
    """Returns the processor time of this process and some others."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
