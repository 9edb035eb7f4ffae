"""Question: how much faster are predictions in 16 and 8 bits, and what do they cost on real data?

Time: a U-Net of 128 x 128 and a classifier of 13 x 13 x 7, one image and 16 at once, all engines
alternating in one process. Accuracy: the tissue example, whole as it stands, trained once; the Dice
coefficient of the slices kept for validation, as it stands on the model's card.
"""

import json
import tempfile
from functools import partial
from pathlib import Path

import keras
import numpy as np

from benchmarks.engines import classifier_layers, measured_rounds
from benchmarks.networks import unet_layers
from benchmarks.quiet import median_load, median_ratio, median_seconds, quietest
from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.engines.exporting import export_engines
from dlae_core.engines.openvino import OpenVinoEngine
from dlae_core.engines.quantizing import write_int8
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from dlae_core.training import train
from examples.tissue.prepare import prepare

CONFIG = Path(__file__).parents[1] / "examples" / "tissue" / "config.json"
NETWORKS = {"unet": unet_layers(), "cnn3d": classifier_layers()}


def main() -> None:
    """Measures and prints one line per network and batch size, and one of the trained network."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, layers in NETWORKS.items():
            folder = Path(scratch) / name
            folder.mkdir()
            _compare(name, folder, layers)
        _judge(Path(scratch))


def _compare(name: str, folder: Path, layers: list[str]) -> None:
    model: keras.Model = build_network([parse_layer(text) for text in layers], "layers").model
    images = np.random.default_rng(1).random((16, *model.input_shape[1:]), np.float32)
    export_engines(folder, model, images[:1])
    write_int8(folder / "model.onnx", folder / "int8.onnx", images)
    engines = {
        "float32": OpenVinoEngine(folder / "model.onnx"),
        "bfloat16": OpenVinoEngine(folder / "model.onnx", hint="bf16"),
        "int8": OpenVinoEngine(folder / "int8.onnx"),
    }
    for size in (1, 16):
        rounds = measured_rounds(
            {one: partial(engine.run, images[:size]) for one, engine in engines.items()}
        )
        best = quietest(rounds, *engines)
        row: dict[str, object] = {"benchmark": "engine_precisions", "network": name, "batch": size}
        row |= {f"{one}_ms": round(median_seconds(best, one) * 1e3, 3) for one in engines}
        for one in ("bfloat16", "int8"):
            row[f"{one}_ratio"] = round(median_ratio(best, "float32", one), 2)
        row["foreign_cores"] = round(median_load(best, *engines), 2)
        print(json.dumps(row))


def _judge(folder: Path) -> None:
    prepare(folder)
    sections = json.loads(CONFIG.read_text())
    for role in ("train_X", "train_y"):
        sections["paths"][role] = str(folder / f"{role}.h5")
    sections["save_configurations"] = {"bfloat16_switch": True, "int8_switch": True}
    config = load_config(json.dumps(sections)).config
    bundle = train(config, folder / "work", lambda event: None, lambda: False)
    found = Bundle.open(bundle).manifest.precisions
    row: dict[str, object] = {"benchmark": "engine_precisions", "network": "tissue example"}
    for name, one in found.items():
        before, after = one["metrics"]["dice"]
        row |= {"dice": round(before, 4), f"{name}_dice": round(after, 4)}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
