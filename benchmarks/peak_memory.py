"""Question: does the memory of a training depend on how many samples there are on disk?

Two processes each train the same small network for the same number of steps, on 200 and on 20,000
samples of 64 x 64 float32 with masks, gzipped or not, flipped at random, in batches of 32, with no
memory for samples to be kept in. Compared is the most memory that each had in use at any time.
`pipeline` is the same without a network: only reading, flipping and batching.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from dlae_core.data.source import write_samples

SIDE = 64
FEW, MANY = 200, 20_000
GOAL = 1.1

PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
PIPELINE = """
from pathlib import Path
from dlae_core.data.keeping import Memory
from dlae_core.data.pipeline import Passes, Pipeline, Resources
from dlae_core.data.source import PairedFiles

class Flips:
    random = True
    def sample(self, image, annotation, random):
        flip = slice(None, None, -1 if random is not None and random.random() < 0.5 else 1)
        return image[flip].astype("float32"), annotation[flip].astype("int32")

folder = Path({folder!r})
with PairedFiles(folder / "X.h5", folder / "y.h5") as pairs:
    passes = Passes(32, rounds={rounds}, shuffle=True, augment=True)
    pipeline = Pipeline(pairs, pairs.names, Flips(), passes, Resources(2, Memory(0)))
    for _ in pipeline.batches(0):
        pass
"""
TRAINING = """
import json
from pathlib import Path
from dlae_core.config import load_config
from dlae_core.training import train

folder = Path({folder!r})
layers = ["Input:(64, 64, 1)", "Convolution 2D:2:(1, 1)", "Activation:softmax"]
text = json.dumps({{
    "config_file": {{"model_signal": "FCN"}},
    "paths": {{"train_X": str(folder / "X.h5"), "train_y": str(folder / "y.h5")}},
    "preprocessing": {{"categorical_switch": True, "categories": 2}},
    "augmentation": {{
        "apply_augmentation_switch": True, "horizontal_flip_switch": True, "rounds": {rounds}
    }},
    "training_configurations": {{
        "hardware": "cpu", "epochs": 1, "data_memory": 0, "data_threads": 2
    }},
    "layers": {{"serial_layer_list": layers}},
}})
train(load_config(text).config, folder, lambda _: None, lambda: False)
"""


def main() -> None:
    """Measures and prints the ratio of both peaks, for plain and for gzipped files."""
    for name, program in (("training", TRAINING), ("pipeline", PIPELINE)):
        for kind, gzip in (("plain", 0), ("gzip", 1)):
            few, many = (peak_kilobytes(program, count, gzip) for count in (FEW, MANY))
            print(
                json.dumps(
                    {
                        "benchmark": f"peak_memory_{name}_{kind}",
                        "megabytes": round(many / 1024, 1),
                        "few_megabytes": round(few / 1024, 1),
                        "ratio": round(many / few, 3),
                        "goal": GOAL,
                    }
                )
            )


def peak_kilobytes(program: str, count: int, gzip: int) -> int:
    """Returns the peak memory of a process that walks through so many samples."""
    with tempfile.TemporaryDirectory() as scratch:
        random = np.random.default_rng(0)
        pool = [random.normal(0, 9, (SIDE, SIDE, 1)).round().astype(np.float32) for _ in range(16)]
        for name, arrays in (("X.h5", pool), ("y.h5", [(one > 0).astype("uint8") for one in pool])):
            samples = ((str(number), arrays[number % 16]) for number in range(count))
            write_samples(Path(scratch) / name, samples, gzip=gzip)
        text = program.format(folder=scratch, rounds=MANY // count) + PEAK
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
