"""Question: what do TLS and tokens add to a Predict call when eight ask at once?

Two real server processes with copies of one folder: one as on a workstation, one with TLS and a
token. A client process of its own keeps eight requests of one image of 128 x 128 under way, over a
connection that is open already, as in use. Rounds alternate; medians of the ratios within rounds.
The processor time of the server and its processes per request is robust against other programs;
rates are less. A third row has the token without TLS. Last, how many new connections a second are
made, each with a call of its own.

    python -m benchmarks.access [pixel] [unet]
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
from dataclasses import dataclass
from pathlib import Path

from benchmarks.networks import SIDE, config_text, unet_layers, write_data
from benchmarks.quiet import settle
from dlae_client import Client
from dlae_server.access.tokens import create
from examples.session import running_server
from tests.certificates import Authority

CONCURRENCY, SECONDS = 8, 2.0
ROUNDS = int(os.environ.get("DLAE_ACCESS_ROUNDS", "5"))
GOAL = 0.05
# The first computes next to nothing, so that nothing hides what is added.
NETWORKS = {
    "pixel": [f"Input:({SIDE}, {SIDE}, 1)", "Convolution 2D:2:(1, 1)", "Activation:softmax"],
    "unet": unet_layers(),
}
LOAD = """
import asyncio, sys, time, grpc, numpy as np
from dlae.arrays import tensor_from_array
from dlae.v1.prediction_pb2 import PredictRequest
from dlae.v1.training_pb2 import ListJobsRequest
address, model, ca, token, side, count, seconds, fresh = sys.argv[1:]
image = np.random.default_rng(1).random((1, int(side), int(side), 1), np.float32)
body = PredictRequest(model=model, input=tensor_from_array(image)).SerializeToString()
metadata = (("authorization", "Bearer " + token),) if token else None
def channel(number):
    options = [("grpc.use_local_subchannel_pool", 1), ("dlae.number", number)]
    if not ca:
        return grpc.aio.insecure_channel(address, options=options)
    credentials = grpc.ssl_channel_credentials(open(ca, "rb").read())
    return grpc.aio.secure_channel(address, credentials, options=options)
async def main():
    done, listing = 0, ListJobsRequest(page_size=1).SerializeToString()
    async with channel(0) as opened:
        ask = opened.unary_unary("/dlae.v1.PredictionService/Predict")
        for _ in range(10):
            await ask(body, metadata=metadata)
        start = time.monotonic()
        async def client():
            nonlocal done
            while time.monotonic() < start + float(seconds):
                if fresh == "fresh":
                    async with channel(done) as other:
                        call = other.unary_unary("/dlae.v1.TrainingService/ListJobs")
                        await call(listing, metadata=metadata)
                else:
                    await ask(body, metadata=metadata)
                done += 1
        await asyncio.gather(*(client() for _ in range(int(count))))
        print(done / (time.monotonic() - start), time.process_time() / done)
asyncio.run(main())
"""


@dataclass(frozen=True)
class Server:
    """A running server and how it is asked."""

    address: str
    process: int
    authority: str = ""
    token: str = ""


def main() -> None:
    """Measures and prints one line of JSON per network, and one of connections."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = sys.argv[1:] or list(NETWORKS)
        train_models(folder, names)
        with ExitStack() as stack:
            servers = {
                kind: stack.enter_context(_server(folder, kind))
                for kind in ("open", "token", "tls")
            }
            for name in names:
                rows = [_round(servers, name) for _ in range(ROUNDS)]
                print(json.dumps({"benchmark": "access", "network": name, **_summary(rows)}))
            rows = [_round(servers, names[0], "fresh") for _ in range(ROUNDS)]
            print(json.dumps({"benchmark": "access", "what": "connections", **_summary(rows)}))


def train_models(folder: Path, names: list[str]) -> None:
    """Trains networks of `NETWORKS` in a server's folder, `folder/server`."""
    write_data(folder, 16)
    with running_server(folder) as address, Client(address) as client:
        for name in names:
            config = json.loads(config_text(folder, 1))
            config["layers"]["serial_layer_list"] = NETWORKS[name]
            client.wait(client.train(config, name).id)


@contextmanager
def _server(folder: Path, kind: str) -> Iterator[Server]:
    data, options, authority, token = folder / kind, [], "", ""
    shutil.copytree(folder / "server", data)
    if kind != "open":
        token = create(data, "benchmark", "predictor")[1]
    if kind == "tls":
        signs = Authority(folder / "authority")
        certificate, key = signs.signs("server")
        options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
        authority = str(signs.path)
    place = ["--data-dir", str(data), "--listen", "127.0.0.1:0", "--no-metrics"]
    command = [sys.executable, "-m", "dlae_server.main", "--log-level", "warning"]
    process = subprocess.Popen([*command, *place, *options])
    card = data / "server.json"
    try:
        while not card.exists():
            time.sleep(0.01)
        yield Server(json.loads(card.read_text())["listen"], process.pid, authority, token)
    finally:
        process.terminate()
        process.wait()


def _round(servers: dict[str, Server], model: str, how: str = "open") -> dict[str, list[float]]:
    """Returns rate, and milliseconds of processor time of server and client per request."""
    row = {}
    settle()
    for kind, server in servers.items():
        before = cpu_seconds(server.process)
        arguments = [server.address, model, server.authority, server.token, str(SIDE)]
        limits = [str(CONCURRENCY), str(SECONDS), how]
        done = subprocess.run(
            [sys.executable, "-c", LOAD, *arguments, *limits],
            capture_output=True,
            text=True,
            check=True,
        )
        rate, client = map(float, done.stdout.split())
        spent = (cpu_seconds(server.process) - before) / (rate * SECONDS)
        row[kind] = [rate, 1e3 * spent, 1e3 * client]
    return row


def _summary(rows: list[dict[str, list[float]]]) -> dict[str, object]:
    told: dict[str, object] = {"goal": GOAL, "rounds": len(rows)}
    for kind in rows[0]:
        columns = zip(*(row[kind] for row in rows), strict=True)
        rate, server, client = (round(statistics.median(column), 3) for column in columns)
        told[kind] = {"per_s": rate, "server_cpu_ms": server, "client_cpu_ms": client}
        if kind != "open":
            told[f"{kind} slower by"] = round(
                statistics.median(row["open"][0] / row[kind][0] for row in rows) - 1, 3
            )
            told[f"{kind} server_cpu more by"] = round(
                statistics.median(row[kind][1] / row["open"][1] for row in rows) - 1, 3
            )
    return told


def cpu_seconds(process: int) -> float:
    """Returns the processor time that a process and its children have used."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ticks = 0
    for one in (process, *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
