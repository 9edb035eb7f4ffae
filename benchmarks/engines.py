"""Question: how much faster than TensorFlow are the other engines, and what does tiling cost?

A U-Net of 128 x 128 and a classifier of 13 x 13 x 7, one image and 16 at once; then a volume of
three tiles a side through a small 3D network, against the bare forward passes of as many tiles. All
in one process, alternating; ratios are medians over the rounds in which others disturbed least.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np

from benchmarks.networks import unet_layers
from benchmarks.quiet import (
    Timed,
    median_load,
    median_ratio,
    median_seconds,
    quietest,
    settle,
    timed,
)
from dlae_core.engines import Engine
from dlae_core.engines.exporting import export_engines
from dlae_core.engines.onnxruntime import OnnxRuntimeEngine
from dlae_core.engines.openvino import OpenVinoEngine
from dlae_core.engines.tensorflow import TensorFlowEngine
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from dlae_core.tiling import HALVES, tiled

ROUNDS = 15
TILING_GOAL = 1.15
TILE = (48, 48, 32)
# Half a tile further for every tile but the first.
VOLUME, TILES = (96, 96, 64), 27


def main() -> None:
    """Measures and prints one line per network and batch size, and one for tiling."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, layers in (("unet", unet_layers()), ("cnn3d", classifier_layers())):
            engines, shape = _engines(Path(scratch) / name, layers)
            for size in (1, 16):
                _compare(name, engines, np.zeros((size, *shape), np.float32))
        engines, _ = _engines(Path(scratch) / "segmenter", _segmenter())
        _tile(engines["openvino"])


def _compare(name: str, engines: Mapping[str, Engine], batch: np.ndarray) -> None:
    rounds = measured_rounds({one: partial(engine.run, batch) for one, engine in engines.items()})
    row: dict[str, object] = {"benchmark": "engines", "network": name, "batch": len(batch)}
    for other in ("openvino", "onnxruntime"):
        best = quietest(rounds, other, "tensorflow")
        row[f"{other}_ms"] = round(median_seconds(best, other) * 1e3, 3)
        row[f"{other}_ratio"] = round(median_ratio(best, "tensorflow", other), 2)
    row["tensorflow_ms"] = round(
        median_seconds(quietest(rounds, "tensorflow"), "tensorflow") * 1e3, 3
    )
    row["foreign_cores"] = round(median_load(quietest(rounds, *engines), *engines), 2)
    print(json.dumps(row))


def _tile(engine: Engine) -> None:
    volume = np.random.default_rng(1).random((*VOLUME, 1), np.float32)
    batch = np.ascontiguousarray(volume[np.newaxis, : TILE[0], : TILE[1], : TILE[2]])
    batch = batch.repeat(HALVES.tiles, axis=0)

    def bare() -> None:
        for start in range(0, TILES, HALVES.tiles):
            engine.run(batch[: TILES - start])

    rounds = measured_rounds(
        {"tiled": lambda: tiled(volume, TILE, engine.run, HALVES), "bare": bare}
    )
    best = quietest(rounds, "tiled", "bare")
    print(
        json.dumps(
            {
                "benchmark": "engines",
                "tiled_volume": VOLUME,
                "tiles": TILES,
                "tiled_ms": round(median_seconds(best, "tiled") * 1e3, 1),
                "ratio": round(median_ratio(best, "tiled", "bare"), 3),
                "foreign_cores": round(median_load(best, "tiled", "bare"), 2),
                "goal": TILING_GOAL,
            }
        )
    )


def measured_rounds(works: Mapping[str, Callable[[], object]]) -> list[dict[str, Timed]]:
    """Does some works in turn, each once in every round; returns the rounds."""
    for work in works.values():
        work()
    rounds = []
    for number in range(ROUNDS):
        settle()
        names = list(works) if number % 2 else list(reversed(works))
        rounds.append({name: timed(works[name]) for name in names})
    return rounds


def _engines(folder: Path, layers: list[str]) -> tuple[dict[str, Engine], tuple[int, ...]]:
    folder.mkdir()
    model: keras.Model = build_network([parse_layer(text) for text in layers], "layers").model
    shape = model.input_shape[1:]
    model.save(folder / "model.keras")
    export_engines(folder, model, np.zeros((1, *shape), np.float32))
    engines = {
        "tensorflow": TensorFlowEngine(folder / "model.keras"),
        "onnxruntime": OnnxRuntimeEngine(folder / "model.onnx"),
        "openvino": OpenVinoEngine(folder / "model.onnx"),
    }
    return engines, shape


def classifier_layers() -> list[str]:
    """Returns a classifier of volumes of (13, 13, 7, 1)."""
    layers = ["Input:(13, 13, 7, 1)"]
    for filters in (32, 64, 64):
        layers += [f"Convolution 3D:{filters}:(3, 3, 3)", "Batch normalization", "Activation:relu"]
    return [
        *layers,
        "Max pooling 3D:(2, 2, 2)",
        "Flatten",
        "Dense:64",
        "Dense:2",
        "Activation:softmax",
    ]


def _segmenter() -> list[str]:
    layers = [f"Input:({', '.join(map(str, TILE))}, 1)"]
    for filters in (16, 32):
        layers += [f"Convolution 3D:{filters}:(3, 3, 3)", "Batch normalization", "Activation:relu"]
        layers += ["Outer skip source", "Max pooling 3D:(2, 2, 2)"]
    layers += ["Convolution 3D:64:(3, 3, 3)", "Activation:relu"]
    for filters in (32, 16):
        layers += [f"Resize convolution 3D:{filters}", "Activation:relu", "Outer skip target"]
        layers += [f"Convolution 3D:{filters}:(3, 3, 3)", "Activation:relu"]
    return [*layers, "Convolution 3D:2:(1, 1, 1)", "Activation:softmax"]


if __name__ == "__main__":
    main()
