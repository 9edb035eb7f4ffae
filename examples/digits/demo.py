"""Handwritten digits: `python -m examples.digits.demo [--folder FOLDER]`.

Trains the classifier of `config.json`, which is written as DLAE 1.0 wrote its files, and counts how
many of the held-out digits it reads rightly. What exists is reused.
"""

import shutil
from pathlib import Path

import numpy as np

from dlae_core.data.source import SampleFile
from examples.digits.prepare import prepare
from examples.session import folder_argument, run_client, running_server, train_once

MODEL = "digits"


def main(folder: Path) -> float:
    """Runs the example in a folder; returns the share of held-out digits that are right."""
    data = folder / "data"
    if (data / "test_y.h5").exists():
        print("data     reused")
    else:
        prepare(data)
    config = folder / "config.json"
    shutil.copy(Path(__file__).with_name("config.json"), config)
    predictions = folder / "predictions.h5"
    with running_server(folder) as address:
        train_once(address, config, MODEL)
        images = str(data / "test_X.h5")
        run_client(address, "predict", MODEL, images, "-o", str(predictions), "--labels")
    with SampleFile(data / "test_y.h5") as truth, SampleFile(predictions) as predicted:
        right = [int(truth.read(name)) == int(predicted.read(name)) for name in truth.names]
    print(f"\n{sum(right)} of {len(right)} held-out digits are right: {np.mean(right):.1%}")
    return float(np.mean(right))


if __name__ == "__main__":
    main(folder_argument(__doc__, ".demo/digits"))
