"""Question: how fast does a data file come to a server, and what does it cost to send it again?

A file of samples is uploaded to a real server process: read, sent, written, compared with its hash,
looked into and stored, on the disk. Compared is an empty gRPC service of Python's asyncio, in a
process of its own, that drops what it gets: the same messages, of the same pieces, made out of
memory. Client and server share this machine's cores. Rounds alternate; medians. The hash of the
file is remembered from an earlier upload, but for one row.
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
        with _server(folder / "server") as address, _raw() as raw, Client(address) as client:
            rows = _rounds(client, raw, path)
    size = BYTES / (1 << 20)
    rates = {name: size / statistics.median(times) for name, times in rows.items()}
    for name, rate in rates.items():
        print(json.dumps({"what": name, "mib_per_s": round(rate)}))
    ratio = statistics.median(
        raw / ours for raw, ours in zip(rows["raw stream"], rows["upload"], strict=True)
    )
    print(json.dumps({"what": "upload over raw stream", "ratio": round(ratio, 2)}))


def _rounds(client: Client, raw: grpc.Channel, path: Path) -> dict[str, list[float]]:
    rows: dict[str, list[float]] = {
        name: [] for name in ("raw stream", "upload", "upload, hashed first", "sent before")
    }
    # Written a while ago, a file is remembered.
    time.sleep(2.5)
    sha256 = client.upload(path).dataset.sha256
    for _ in range(ROUNDS):
        client.delete_dataset(f"sha256:{sha256}")
        settle()
        rows["raw stream"].append(_seconds(lambda: _send(raw)))
        rows["upload"].append(_seconds(lambda: client.upload(path)))
        rows["sent before"].append(_seconds(lambda: client.upload(path)))
        client.delete_dataset(f"sha256:{sha256}")
        Hashes().forget(path)
        rows["upload, hashed first"].append(_seconds(lambda: client.upload(path)))
    return rows


def _send(channel: grpc.Channel) -> None:
    piece = bytes(PIECE_BYTES)

    def requests() -> Iterator[pb.UploadDatasetRequest]:
        for offset in range(0, BYTES, PIECE_BYTES):
            yield pb.UploadDatasetRequest(piece=pb.DatasetPiece(offset=offset, data=piece))

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
def _server(folder: Path) -> Iterator[str]:
    """Runs a server; gives its address."""
    place = ["--data-dir", str(folder), "--listen", "127.0.0.1:0", "--no-metrics"]
    command = [sys.executable, "-m", "dlae_server.main", *place]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    card = folder / "server.json"
    while not card.exists():
        time.sleep(0.01)
    try:
        yield json.loads(card.read_text())["listen"]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _raw() -> Iterator[grpc.Channel]:
    """Runs the empty service; gives a channel to it."""
    process = subprocess.Popen([sys.executable, "-c", RAW], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    address = f"127.0.0.1:{process.stdout.readline().strip()}"
    try:
        with grpc.insecure_channel(
            address, options=[("grpc.max_send_message_length", -1)]
        ) as channel:
            yield channel
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
