"""Models that DLAE 1.0 trained, from files as it saved them, predict what it predicted."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.inference import infer
from dlae_core.inference.foreign import network_of_file
from tests.dlae_core.inference.models import read_all, write_keras2
from tests.reference import reference_path

pytestmark = pytest.mark.keras


class Case:
    """A training of DLAE 1.0: its configuration, weights and predictions."""

    def __init__(self, name: str) -> None:
        text = reference_path("golden", "trained.json").read_text()
        self.facts: dict[str, Any] = json.loads(text)["cases"][name]
        with np.load(reference_path("golden", "trained.npz")) as arrays:
            self.arrays = {
                key.removeprefix(f"{name}/"): arrays[key]
                for key in arrays.files
                if key.startswith(name)
            }
            self.detected = arrays["data/bbd/X"]

    def save(self, path: Path) -> None:
        """Writes the weights as `model.save` of Keras 2.2.4 did, the network unreadable."""
        layers: dict[str, dict[str, Any]] = defaultdict(dict)
        for number, name in enumerate(self.facts["weight_names"]):
            layer, _, weight = name.removesuffix(":0").partition("/")
            layers[layer][weight] = self.arrays[f"w_final{number}"]
        write_keras2(path, {"class_name": "Lambda", "config": {}}, layers)

    def session(self, folder: Path) -> str:
        """Returns the configuration as 1.0 would have been given it for inference."""
        config = dict(self.facts["config"])
        config["config_file"] = {**config["config_file"], "type_signal": "Inference"}
        paths = {"load_model": str(folder / "old.h5"), "test_X": str(folder / "X.h5")}
        config["paths"] = {**config["paths"], "train_X": "", "train_y": "", **paths}
        return json.dumps(config)


@pytest.mark.parametrize("name", ["cnn_wcce_sgd", "fcn_jaccard_sgd"])
def test_a_model_of_1_0_predicts_what_it_did(name: str, tmp_path: Path) -> None:
    case = Case(name)
    case.save(tmp_path / "old.h5")
    images, expected = case.arrays["val_X"], case.arrays["val_pred"]
    write_samples(tmp_path / "X.h5", [(str(at), image) for at, image in enumerate(images)])
    config = load_config(case.session(tmp_path)).config
    found = read_all(infer(config, tmp_path / "work", lambda event: None, lambda: False))
    alike = np.stack([found[str(at)] for at in range(len(images))])
    np.testing.assert_allclose(alike, expected, rtol=1e-4, atol=1e-5)


def test_a_detector_of_1_0_predicts_what_it_did(tmp_path: Path) -> None:
    case = Case("bbd_ssd_sgd")
    case.save(tmp_path / "old.h5")
    config = load_config(case.session(tmp_path)).config
    taken = network_of_file(tmp_path / "old.h5", config)
    images, expected = case.detected[:2], case.arrays["pred"]
    lows, highs = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    found = np.asarray(taken.model((images - lows) / (highs - lows)))
    # Probabilities of two kinds of object and the background, and four offsets; the anchors of 1.0
    # have wrong sizes (X2). Where features are nearly 0, their unit length makes much of rounding.
    np.testing.assert_allclose(found[..., :7], expected[..., :7], rtol=1e-3, atol=3e-3)
