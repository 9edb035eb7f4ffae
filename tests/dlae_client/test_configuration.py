"""Configurations as they are sent."""

import json
from pathlib import Path

import pytest

from dlae_client.configuration import config_source
from dlae_core.config import read_config


@pytest.mark.parametrize("as_message", [False, True])
def test_relative_paths_of_data_and_weights_become_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_message: bool
) -> None:
    layers = [
        "Input:(64, 64, 3)",
        "VGG16:False:weights/vgg.h5:(64, 64, 3)",
        "ResNet50:False:imagenet",
        "Xception",
        "no layer:(",
    ]
    paths = {"train_X": "X.h5", "load_checkpoint": "job:tissue-7k3f"}
    sections = {"paths": paths, "layers": {"serial_layer_list": layers}}
    monkeypatch.chdir(tmp_path)
    given = read_config(json.dumps(sections)).config if as_message else sections
    source = config_source(given)
    sent = source.config if as_message else read_config(source.json).config
    assert sent.paths.train_x == str(tmp_path / "X.h5")
    assert sent.paths.load_checkpoint == "job:tissue-7k3f"
    weights = [layer.backbone.weights for layer in sent.layers.serial_layer_list[1:4]]
    assert weights == [str(tmp_path / "weights" / "vgg.h5"), "imagenet", "none"]
    if not as_message:
        assert json.loads(source.json)["layers"]["serial_layer_list"][2:] == layers[2:]
