"""Networks in files that claim more than they hold, or hold more than a network."""

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.backbones.stored_weights import layers_by_kind
from dlae_core.config import read_config, resolve_config
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact
from dlae_core.inference.foreign import network_of_file

pytestmark = pytest.mark.keras

Layers = list[dict[str, Any]]


def _config() -> Config:
    text = {"config_file": {"model_signal": "CNN"}, "paths": {"load_model": "m"}}
    return resolve_config(read_config(json.dumps(text)).config)


def _saved(
    path: Path, change: Callable[[Layers], object] = len, beside: tuple[str, ...] = ()
) -> Path:
    """Saves a network of two layers with another description, and with other entries."""
    plain = path.with_name("plain.keras")
    keras.Sequential([keras.Input((8,)), *map(keras.layers.Dense, (4, 4))]).save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == "config.json":
                text = json.loads(content)
                change(text["config"]["layers"])
                content = json.dumps(text).encode()
            new.writestr(entry, content)
        for entry in beside:
            new.writestr(entry, bytes(1 << 24), zipfile.ZIP_DEFLATED)
    return path


def _large(layers: Layers) -> None:
    layers[1]["config"]["units"] = 10**9


def _many(layers: Layers) -> None:
    layers += [layers[2]] * 10_000


def _wrong_values(layers: Layers) -> None:
    value = {"module": "keras.initializers", "class_name": "Constant", "registered_name": None}
    layers[1]["config"]["kernel_initializer"] = {**value, "config": {"value": [[1.0] * 9] * 9}}


def _function(layers: Layers) -> None:
    layers[1]["config"]["activation"] = {
        "class_name": "function",
        "config": "load",
        "module": "keras.src.ops.numpy",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_large, "it has more weights than its file can hold"),
        (_many, "it holds 10003 layers where 3000 are the most"),
        (_wrong_values, "Keras cannot build it"),
        (_function, "it holds 'function'"),
    ],
)
def test_networks_that_would_fill_the_memory_are_refused_at_once(
    change: Callable[[Layers], object], words: str, tmp_path: Path
) -> None:
    path = _saved(tmp_path / "a.keras", change)
    start = time.monotonic()
    with pytest.raises(IncompatibleArtifact, match=words):
        network_of_file(path, _config())
    assert time.monotonic() - start < 5


def test_a_network_with_files_beside_it_is_not_unpacked(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.keras", beside=("assets/vocabulary.txt", "../../outside"))
    words = "'assets/vocabulary.txt' beside its network, '../../outside' beside its network"
    with pytest.raises(IncompatibleArtifact, match=words):
        network_of_file(path, _config())


def test_a_network_that_is_what_it_claims_is_taken(tmp_path: Path) -> None:
    assert network_of_file(_saved(tmp_path / "a.keras"), _config()).model.count_params() == 56


def test_groups_that_are_parts_of_themselves_end_the_search(tmp_path: Path) -> None:
    """Sixty groups, each in the one before it twice, are 2^60 when they are counted."""
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        group = file.create_group("layers")
        for number in range(60):
            inner = group.create_group(f"dense_{number}").create_group("layers")
            group[f"dense_{number + 100}"] = group[f"dense_{number}"]
            group = inner
    with pytest.raises(CorruptArtifact), layers_by_kind(tmp_path / "a.weights.h5"):
        pass


def test_weights_in_several_places_are_told(tmp_path: Path) -> None:
    saved = _saved(tmp_path / "a.keras")
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(tmp_path / "b.keras", "w") as new:
        old.extract("model.weights.h5", tmp_path)
        with h5py.File(tmp_path / "model.weights.h5", "a") as file:
            file["again"] = file["layers"]
            file["layers/again"] = file["/"]
        new.writestr("config.json", old.read("config.json"))
        new.writestr("metadata.json", old.read("metadata.json"))
        new.write(tmp_path / "model.weights.h5", "model.weights.h5")
    with pytest.raises(IncompatibleArtifact, match="the same weights in several places"):
        network_of_file(tmp_path / "b.keras", _config())
