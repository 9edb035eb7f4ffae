"""Weights of other networks, from files as Keras 2 and Keras 3 write them."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from dlae_core.checkpoints.archive import Archive, read_archive
from dlae_core.checkpoints.model_file import write_checkpoint
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, WeightsNotFound
from dlae_core.transfer.archived import layers_of_archive
from dlae_core.transfer.weights import take_layers, take_weights

pytestmark = pytest.mark.keras


def _network(classes: int = 2, prefix: str = "a", deeper: bool = False) -> keras.Model:
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", name=f"{prefix}1")(image)
    x = keras.layers.BatchNormalization(name=f"{prefix}2")(x)
    x = keras.layers.Dropout(0.5, name=f"{prefix}3")(x)
    x = keras.layers.PReLU(shared_axes=[1, 2], name=f"{prefix}4")(x)
    if deeper:
        x = keras.layers.Conv2D(6, 3, padding="same", name=f"{prefix}deep")(x)
        x = keras.layers.Conv2D(4, 1, name=f"{prefix}back")(x)
    x = keras.layers.Conv2DTranspose(4, 3, strides=2, name=f"{prefix}5")(x)
    return keras.Model(image, keras.layers.Conv2D(classes, 1, name=f"{prefix}6")(x))


def _filled(seed: int, **arguments: Any) -> keras.Model:
    model = _network(**arguments)
    random = np.random.default_rng(seed)
    model.set_weights([random.random(one.shape, np.float32) for one in model.get_weights()])
    return model


def _legacy_weights(model: keras.Model, path: Path) -> None:
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def _legacy_model(model: keras.Model, path: Path) -> None:
    """Writes what Keras 2.2.4 does: a configuration, which nobody reads, and weights."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["model_config"] = b'{"class_name": "Lambda", "config": "cos\\nsystem"}'
        legacy_h5_format.save_weights_to_hdf5_group(file.create_group("model_weights"), model)
        file.create_group("optimizer_weights")


WRITERS = {
    "legacy.h5": _legacy_weights,
    "model.h5": _legacy_model,
    "m.weights.h5": lambda model, path: model.save_weights(path),
    "m.keras": lambda model, path: model.save(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_weights_of_the_same_network_are_taken_whole(tmp_path: Path, name: str) -> None:
    source, target = _filled(1), _filled(2, prefix="b")
    WRITERS[name](source, tmp_path / name)
    transfer = take_weights(target, tmp_path / name, by_name=False)
    assert [pair[0] for pair in transfer.matched] == ["b1", "b6", "b2", "b4", "b5"] or [
        pair[0] for pair in transfer.matched
    ] == ["b1", "b2", "b4", "b5", "b6"]
    assert (transfer.missing, transfer.unused) == ((), ())
    for one, two in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", WRITERS)
def test_what_differs_keeps_its_weights_and_is_told(tmp_path: Path, name: str) -> None:
    source, target = _filled(1), _filled(2, classes=5, prefix="b", deeper=True)
    before = target.get_layer("bdeep").get_weights()
    WRITERS[name](source, tmp_path / name)
    transfer = take_weights(target, tmp_path / name, by_name=False)
    assert set(transfer.missing) == {"bdeep", "bback", "b6"}
    assert transfer.unused == ("a6",)
    assert str(transfer).startswith("4 of 7 layers; ")
    for one, two in (("a1", "b1"), ("a5", "b5"), ("a2", "b2")):
        first, second = source.get_layer(one), target.get_layer(two)
        np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    np.testing.assert_array_equal(before[0], target.get_layer("bdeep").get_weights()[0])


@pytest.mark.parametrize("name", WRITERS)
def test_names_decide_where_asked_for(tmp_path: Path, name: str) -> None:
    source, target = _filled(1), _filled(2, classes=5)
    WRITERS[name](source, tmp_path / name)
    transfer = take_weights(target, tmp_path / name, by_name=True)
    assert {one for pair in transfer.matched for one in pair} == {"a1", "a2", "a4", "a5"}
    assert transfer.missing == transfer.unused == ("a6",)
    WRITERS[name](_filled(1, prefix="b"), tmp_path / name)
    with pytest.raises(IncompatibleArtifact, match="no layer of the same name"):
        take_weights(target, tmp_path / name, by_name=True)


def test_networks_inside_of_networks_are_looked_into(tmp_path: Path) -> None:
    inner = _filled(1)
    image = keras.Input((8, 8, 1))
    keras.Model(image, inner(image)).save(tmp_path / "nested.keras")
    target = _filled(2)
    assert take_weights(target, tmp_path / "nested.keras", by_name=False).missing == ()
    np.testing.assert_array_equal(inner.get_weights()[0], target.get_weights()[0])


def test_a_checkpoint_of_another_network_gives_its_weights(tmp_path: Path) -> None:
    source, target = _filled(1), _filled(2, classes=5, prefix="b")
    arrays = {f"model/{number:05d}": np.asarray(one) for number, one in enumerate(source.variables)}
    facts = {"variables": [one.path for one in source.variables]}
    write_checkpoint(tmp_path / "c.keras", source, Archive(facts, arrays))
    layers = layers_of_archive(read_archive(tmp_path / "c.keras"))
    transfer = take_layers(target, layers, by_name=False, source="c.keras")
    assert (transfer.missing, transfer.unused) == (("b6",), ("a6",))
    np.testing.assert_array_equal(source.get_weights()[3], target.get_weights()[3])


def test_what_is_no_weights_file_is_told(tmp_path: Path) -> None:
    target = _network()
    with pytest.raises(WeightsNotFound, match="none at"):
        take_weights(target, tmp_path / "missing.h5", by_name=False)
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(CorruptArtifact, match=r"text\.h5"):
        take_weights(target, tmp_path / "text.h5", by_name=False)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["0"] = np.zeros(3)
    with pytest.raises(IncompatibleArtifact, match=r"data\.h5"):
        take_weights(target, tmp_path / "data.h5", by_name=False)
