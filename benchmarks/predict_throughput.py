"""Question: how much of the engine's throughput is left when many ask at once?

A real server, and one client process that keeps 1, 8 or 32 requests of one image under way, over
the Open Inference Protocol, with requests that are serialized once. The engine alone runs in a
process of its own, in batches of the size that suits it best. Where DLAE_PYTRITON_PYTHON names a
Python with nvidia-pytriton, the same network is served by that too, and asked with the same bytes:
its `model.keras` by TensorFlow, as the peers of the goals are, or with `--peer onnxruntime` its
`model.onnx`. Rounds alternate; medians. The CPU time of the server and its processes per request,
beside that of the engine per image, is robust against other programs; rates are less.

    python -m benchmarks.predict_throughput [unet] [cnn3d] [--engine NAME] [--peer NAME]
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np

from benchmarks.networks import SIDE, config_text, unet_layers, write_data
from dlae_client import Client
from dlae_core.data.source import write_samples
from dlae_server import oip
from examples.session import running_server

SECONDS, ROUNDS = 2.0, 3
CONCURRENCIES = (1, 8, 32)
BATCHES = (1, 8, 16, 32)
PEER_FILES = {"tensorflow": "model.keras", "onnxruntime": "model.onnx"}
GOALS = {"unet over engine": 0.95, "cnn3d CPU over engine": 1.4}
CUBE = (13, 13, 7, 1)
NETWORKS = {
    "unet": ("FCN", (SIDE, SIDE, 1), unet_layers()),
    "cnn3d": (
        "CNN",
        CUBE,
        [
            f"Input:{CUBE}",
            *("Convolution 3D:32:(3, 3, 3)", "Activation:relu"),
            *("Convolution 3D:64:(3, 3, 3)", "Activation:relu", "Max pooling 3D"),
            *("Convolution 3D:64:(3, 3, 3)", "Activation:relu"),
            *("Flatten", "Dense:128", "Activation:relu", "Dense:2", "Activation:softmax"),
        ],
    ),
}

LOAD = """
import asyncio, sys, time, grpc
address, path, count, seconds = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
body = open(path, "rb").read()
async def main():
    done = 0
    async with grpc.aio.insecure_channel(address) as channel:
        ask = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        await ask(body)
        end = time.monotonic() + seconds
        async def client():
            nonlocal done
            while time.monotonic() < end:
                await ask(body)
                done += 1
        await asyncio.gather(*(client() for _ in range(int(count))))
    print(done)
asyncio.run(main())
"""
BARE = """
import sys, time, numpy as np
from pathlib import Path
from dlae_core.prediction import Predictor
engine = Predictor(Path(sys.argv[1]), sys.argv[3] or None)._engine
shape = tuple(map(int, sys.argv[2].split(",")))
print("ready", flush=True)
for line in sys.stdin:
    batch, seconds = line.split()
    images = np.random.default_rng(1).random((int(batch), *shape), np.float32)
    engine.run(images)
    count, cpu, start = 0, time.process_time(), time.monotonic()
    while time.monotonic() < start + float(seconds):
        engine.run(images)
        count += len(images)
    print(count / (time.monotonic() - start), (time.process_time() - cpu) / count, flush=True)
"""
TRITON = """
import sys, numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
path, name, http, port = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
if path.endswith(".onnx"):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given, made = session.get_inputs()[0], session.get_outputs()[0]
    run = lambda images: session.run(None, {given.name: images})[0]
    shapes = given.shape, made.shape
else:
    import keras, tensorflow as tf
    model = keras.models.load_model(path, compile=False)
    shapes = model.input_shape, model.output_shape
    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    forward = tf.function(lambda images: model(images, training=False), input_signature=signature)
    run = lambda images: np.asarray(forward(images))
@batch
def infer(input):
    return {"output": run(input)}
config = TritonConfig(
    http_port=http, grpc_port=port, http_address="127.0.0.1", grpc_address="127.0.0.1",
    allow_metrics=False,
)
with Triton(config=config) as triton:
    triton.bind(
        model_name=name, infer_func=infer, strict=False,
        inputs=[Tensor(name="input", dtype=np.float32, shape=tuple(shapes[0][1:]))],
        outputs=[Tensor(name="output", dtype=np.float32, shape=tuple(shapes[1][1:]))],
        config=ModelConfig(
            max_batch_size=32, batcher=DynamicBatcher(max_queue_delay_microseconds=0)
        ),
    )
    triton.serve()
"""


def main() -> None:
    """Measures and prints medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--engine", default="", help="of the server; the fastest by default")
    parser.add_argument("--peer", choices=PEER_FILES, default="tensorflow")
    asked = parser.parse_args()
    if asked.engine:
        os.environ["DLAE_ENGINE"] = asked.engine
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with running_server(folder) as address, Client(address) as client:
            for name in asked.networks:
                job = client.wait(client.train(config_of(folder, name), name).id)
                bundle = folder / "server" / "models" / job.id
                found = _measured(folder, bundle, address, name, asked.engine, asked.peer)
                print(json.dumps(found), flush=True)


def config_of(folder: Path, name: str) -> dict[str, object]:
    """Writes data for a network and returns the configuration of its training."""
    family, shape, layers = NETWORKS[name]
    write_data(folder, 16)
    config = json.loads(config_text(folder, 1))
    if family == "CNN":
        random = np.random.default_rng(1)
        images = [(str(one), random.random(shape, np.float32)) for one in range(16)]
        write_samples(folder / "X.h5", images)
        classes = [(str(one), np.array([one % 2], np.uint8)) for one in range(16)]
        write_samples(folder / "y.h5", classes)
    config["config_file"]["model_signal"] = family
    config["layers"]["serial_layer_list"] = layers
    return config


def _measured(
    folder: Path, bundle: Path, address: str, name: str, engine: str, by: str
) -> dict[str, object]:
    shape = NETWORKS[name][1]
    (body := folder / "request").write_bytes(_request(name, shape))
    pid = json.loads((folder / "server" / "server.json").read_text())["pid"]
    servers = {"dlae": (address, pid)}
    rows: dict[str, list[tuple[float, float]]] = {}
    with _bare(bundle, shape, engine) as bare, _triton(bundle, name, by) as peer:
        servers.update(peer)
        # Loads the model, which belongs to no request.
        _load(*servers["dlae"], body, 1)
        for _ in range(ROUNDS):
            for batch in BATCHES:
                rows.setdefault(f"engine {batch}", []).append(_engine(bare, batch))
            for count in CONCURRENCIES:
                for server, (where, pid) in servers.items():
                    found = _load(where, pid, body, count)
                    rows.setdefault(f"{server} {count}", []).append(found)
    rates = {key: statistics.median(row[0] for row in found) for key, found in rows.items()}
    cpu = {key: statistics.median(row[1] for row in found) * 1e3 for key, found in rows.items()}
    best = max(rates[f"engine {batch}"] for batch in BATCHES)
    least = min(cpu[f"engine {batch}"] for batch in BATCHES)
    return {
        "benchmark": "predict_throughput",
        "network": name,
        "per_second": {key: round(rate, 1) for key, rate in rates.items()},
        "cpu_ms": {key: round(value, 3) for key, value in cpu.items()},
        "engine": engine,
        "peer": by,
        "over_pytriton": {
            count: round(rates[f"dlae {count}"] / rates[f"pytriton {count}"], 2)
            for count in CONCURRENCIES * ("pytriton" in servers)
        },
        "over_engine": {key: round(rates[key] / best, 2) for key in rates if "engine" not in key},
        "cpu_over_engine": {key: round(cpu[key] / least, 2) for key in cpu if "engine" not in key},
        "load": os.getloadavg()[0],
        "goals": GOALS,
    }


def _request(name: str, shape: tuple[int, ...]) -> bytes:
    image = np.random.default_rng(1).random((1, *shape), np.float32)
    request = oip.message("ModelInferRequest")(
        model_name=name,
        inputs=[{"name": "input", "datatype": "FP32", "shape": image.shape}],
        outputs=[{"name": "output"}],
        raw_input_contents=[image.tobytes()],
    )
    return bytes(request.SerializeToString())


def _load(address: str, pid: int, body: Path, count: int) -> tuple[float, float]:
    """Returns requests per second, and CPU seconds of the server per request."""
    before = _cpu_seconds(pid)
    command = [sys.executable, "-c", LOAD, address, str(body), str(count), str(SECONDS)]
    done = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return done / SECONDS, (_cpu_seconds(pid) - before) / done


def _engine(process: "subprocess.Popen[str]", batch: int) -> tuple[float, float]:
    process.stdin.write(f"{batch} {SECONDS}\n")
    process.stdin.flush()
    rate, cpu = map(float, process.stdout.readline().split())
    return rate, cpu


@contextmanager
def _bare(bundle: Path, shape: tuple[int, ...], engine: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", BARE, str(bundle), ",".join(map(str, shape)), engine]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _triton(bundle: Path, name: str, by: str) -> Iterator[dict[str, tuple[str, int]]]:
    """Starts the peer, where it is there; yields its address and process."""
    python = os.environ.get("DLAE_PYTRITON_PYTHON")
    if not python:
        yield {}
        return
    ports = [str(_free_port()) for _ in range(2)]
    command = [python, "-c", TRITON, str(bundle / PEER_FILES[by]), name, *ports]
    # Its stub must find the library of the Python that it was made for.
    environment = {**os.environ, "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or ""}
    with (bundle.parent / "pytriton.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"127.0.0.1:{ports[1]}"
    try:
        _wait_for(address, name)
        yield {"pytriton": (address, process.pid)}
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, name: str) -> None:
    request, response = oip.methods()["ModelReady"]
    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary(
            f"/{oip.SERVICE}/ModelReady", request.SerializeToString, response.FromString
        )
        for _ in range(120):
            with contextlib.suppress(grpc.RpcError):
                if ask(request(name=name), timeout=1).ready:
                    return
            time.sleep(0.5)
    raise SystemExit("pytriton did not start")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _cpu_seconds(pid: int) -> float:
    """Returns the CPU time that a process and all below it have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    children = " ".join(one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/children"))
    below = sum(_cpu_seconds(int(child)) for child in set(children.split()))
    return ticks / os.sysconf("SC_CLK_TCK") + below


if __name__ == "__main__":
    main()
