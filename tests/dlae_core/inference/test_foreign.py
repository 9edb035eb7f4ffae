"""Networks of files that DLAE did not make: of Keras 2.2.4 and of Keras 3, and unsafe ones."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, InvalidConfig
from dlae_core.events import Event, InferenceStarted, Warned
from dlae_core.inference import check_session, infer
from dlae_core.inference.foreign import network_of_file
from tests.dlae_core.inference.models import (
    PER_IMAGE,
    names,
    network,
    read_all,
    session,
    write_images,
    write_keras2,
)

pytestmark = pytest.mark.keras

WITH_LAYERS = {"layers__serial_layer_list": PER_IMAGE}


def _plain() -> keras.Model:
    """Returns a network that DLAE did not build, with names of its own."""
    keras.utils.set_random_seed(9)
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
    x = keras.layers.BatchNormalization(name="second")(x)
    return keras.Model(image, keras.layers.Dense(2, name="last")(keras.layers.Flatten()(x)))


def _keras2_text(activation: str = "relu") -> dict[str, Any]:
    """Returns how Keras 2.2.4 described the network of `_keras2_weights`."""
    shared = {"trainable": True, "use_bias": True}
    conv = {
        **shared,
        "name": "conv2d_1",
        "filters": 4,
        "kernel_size": [3, 3],
        "strides": [1, 1],
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "activation": activation,
        "kernel_initializer": {
            "class_name": "VarianceScaling",
            "config": {"scale": 2.0, "mode": "fan_in", "distribution": "normal", "seed": None},
        },
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.001}},
        "bias_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
    }
    image = {"batch_input_shape": [None, 8, 8, 1], "dtype": "float32", "sparse": False}
    rows = [
        ("InputLayer", "input_1", {**image, "name": "input_1"}),
        ("Conv2D", "conv2d_1", conv),
        ("Flatten", "flatten_1", {"name": "flatten_1", "trainable": True}),
        ("Dense", "dense_1", {**shared, "name": "dense_1", "units": 2, "activation": "linear"}),
    ]
    layers = [
        {
            "class_name": kind,
            "name": name,
            "config": config,
            "inbound_nodes": [[[rows[at - 1][1], 0, 0, {}]]] if at else [],
        }
        for at, (kind, name, config) in enumerate(rows)
    ]
    ends = {"input_layers": [["input_1", 0, 0]], "output_layers": [["dense_1", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "model_1", "layers": layers, **ends}}


def _keras2_weights() -> dict[str, dict[str, Any]]:
    random = np.random.default_rng(2)
    return {
        "input_1": {},
        "conv2d_1": {
            "kernel": random.normal(size=(3, 3, 1, 4)).astype(np.float32),
            "bias": random.normal(size=4).astype(np.float32),
        },
        "flatten_1": {},
        "dense_1": {
            "kernel": random.normal(size=(256, 2)).astype(np.float32),
            "bias": random.normal(size=2).astype(np.float32),
        },
    }


def _by_hand(images: np.ndarray) -> np.ndarray:
    """Returns what the network of `_keras2_weights` gives, in NumPy."""
    weights = _keras2_weights()
    padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    kernel, bias = weights["conv2d_1"]["kernel"], weights["conv2d_1"]["bias"]
    features = np.maximum(np.einsum("brcikl,klio->brco", windows, kernel) + bias, 0)
    dense = weights["dense_1"]
    output = features.reshape(len(images), -1) @ dense["kernel"] + dense["bias"]
    return np.asarray(output)


def _predicted(folder: Path, config: Any) -> tuple[np.ndarray, list[Event]]:
    told: list[Event] = []
    found = read_all(infer(config, folder / "work", told.append, lambda: False))
    return np.stack([found[name] for name in names(len(found))]), told


def _unscaled(folder: Path, model: Path | str, **changes: Any) -> Any:
    """Returns a session whose preparation does nothing."""
    return session(folder, "CNN", model, preprocessing__normalization_type="none", **changes)


def test_a_file_of_keras_3_is_prepared_for_as_the_session_says(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    _plain().save(tmp_path / "own.keras")
    settings = {
        "preprocessing__normalization_type": "global_unity_x",
        "preprocessing__maximum_image_intensity": 2000.0,
    }
    config = session(tmp_path, "CNN", tmp_path / "own.keras", **settings)
    found, told = _predicted(tmp_path, config)
    expected = np.asarray(_plain()((images / 2000).astype(np.float32)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert isinstance(told[0], Warned)
    assert told[0].reason == "MODEL_TAKEN"
    assert "own.keras" in told[0].message
    # The layers of the session are not used where the file has its own.
    config = session(tmp_path, "CNN", tmp_path / "own.keras", **settings, **WITH_LAYERS)
    again, _ = _predicted(tmp_path, config)
    np.testing.assert_array_equal(found, again)


def test_a_file_of_keras_3_is_known_by_its_content_where_its_name_is_a_hash(
    tmp_path: Path,
) -> None:
    _plain().save(tmp_path / "own.keras")
    path = (tmp_path / "own.keras").rename(tmp_path / f"{'a' * 64}.h5")
    taken = network_of_file(path, session(tmp_path, "CNN", path))
    image = np.random.default_rng(3).normal(size=(1, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(taken.model(image), _plain()(image))
    assert taken.report.startswith(f"the network of {path.name} is used")


def test_a_model_of_keras_2_is_read_with_its_own_network(tmp_path: Path) -> None:
    images = write_images(tmp_path) % 7
    write_keras2(tmp_path / "old.h5", _keras2_text(), _keras2_weights())
    with h5py.File(tmp_path / "X.h5", "a") as file:
        for at, name in enumerate(names()):
            file[name][...] = images[at]
    found, _ = _predicted(tmp_path, _unscaled(tmp_path, tmp_path / "old.h5"))
    np.testing.assert_allclose(found, _by_hand(images), rtol=1e-5, atol=1e-4)


def test_a_generator_is_predicted_with_from_its_file(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    network("GAN").save(tmp_path / "generator.keras")
    config = session(
        tmp_path,
        "GAN",
        tmp_path / "generator.keras",
        preprocessing__normalization_type="samplewise_negpos_x",
    )
    found, told = _predicted(tmp_path, config)
    lows, highs = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    prepared = 2 * (images - lows.astype(np.float64)) / (highs - lows) - 1
    expected = np.asarray(network("GAN")(prepared.astype(np.float32)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert told[1] == InferenceStarted(7, "pix2pix", "tensorflow")


@pytest.mark.parametrize("by", ["order", "name"])
def test_weights_alone_are_given_to_the_layers_of_the_session(by: str, tmp_path: Path) -> None:
    images = write_images(tmp_path)
    weights = _keras2_weights()
    own = [layer.name for layer in network("CNN").layers if layer.weights]
    if by == "name":
        stored = [weights["conv2d_1"], weights["dense_1"]]
        weights = dict(zip(own, stored, strict=True))
    write_keras2(tmp_path / "old.h5", None, weights)
    changes = {**WITH_LAYERS, "training_configurations__match_weights_by": by}
    found, told = _predicted(tmp_path, _unscaled(tmp_path, tmp_path / "old.h5", **changes))
    np.testing.assert_allclose(found, _by_hand(images), rtol=1e-4, atol=0.5)
    assert isinstance(told[0], Warned)
    assert "2 of 2 layers" in told[0].message


def test_weights_for_some_layers_only_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    weights = _keras2_weights()
    del weights["dense_1"]
    write_keras2(tmp_path / "part.h5", None, weights)
    with pytest.raises(IncompatibleArtifact, match=r"1 of 2 layers; item004_dense keep"):
        network_of_file(tmp_path / "part.h5", _unscaled(tmp_path, "m", **WITH_LAYERS))


def test_without_layers_weights_alone_are_refused(tmp_path: Path) -> None:
    write_keras2(tmp_path / "old.h5", None, _keras2_weights())
    with pytest.raises(
        IncompatibleArtifact, match=r"weights only; give its layers in layers\.serial"
    ):
        network_of_file(tmp_path / "old.h5", _unscaled(tmp_path, "m"))


def _lambda_h5(path: Path) -> None:
    text = _keras2_text()
    code = {"name": "l", "function": ["4wEAAA==", None, None], "function_type": "lambda"}
    text["config"]["layers"][2] = {
        "class_name": "Lambda",
        "name": "l",
        "config": code,
        "inbound_nodes": [[["conv2d_1", 0, 0, {}]]],
    }
    write_keras2(path, text, _keras2_weights())


def _rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Saves the plain network with another description."""
    saved = path.with_name("saved.keras")
    _plain().save(saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == "config.json":
                text = json.loads(content)
                change(text)
                content = json.dumps(text).encode()
            new.writestr(entry, content)


def _custom_class(path: Path) -> None:
    def change(text: dict[str, Any]) -> None:
        text["config"]["layers"][1].update(module="os", class_name="system")

    _rewritten(path, change)


def _served_model(path: Path) -> None:
    def change(text: dict[str, Any]) -> None:
        text["config"]["layers"][1].update(class_name="TFSMLayer")

    _rewritten(path, change)


def _function(path: Path) -> None:
    def change(text: dict[str, Any]) -> None:
        value = {"class_name": "function", "config": "run", "module": "subprocess"}
        text["config"]["layers"][1]["config"]["activation"] = value

    _rewritten(path, change)


def _lookup_of_a_file(path: Path) -> None:
    def change(text: dict[str, Any]) -> None:
        settings = {"vocabulary": "/etc/passwd"}
        text["config"]["layers"][1].update(class_name="StringLookup", config=settings)

    _rewritten(path, change)


def _outside_link(path: Path) -> None:
    write_keras2(path, _keras2_text(), _keras2_weights())
    with h5py.File(path, "a") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.h5", _lambda_h5, "'Lambda'"),
        ("a.keras", _custom_class, "'system' of 'os'"),
        ("a.keras", _served_model, "'TFSMLayer'"),
        ("a.keras", _function, "'function' of 'subprocess'"),
        ("a.keras", _lookup_of_a_file, "'StringLookup'"),
        ("a.h5", _outside_link, "the link 'elsewhere'"),
    ],
)
def test_nothing_unsafe_is_built(
    name: str, write: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    with pytest.raises(IncompatibleArtifact, match=words):
        network_of_file(path, _unscaled(tmp_path, "m"))


def test_an_unsafe_file_still_gives_its_weights_to_layers_that_are_known(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    _lambda_h5(tmp_path / "old.h5")
    config = _unscaled(tmp_path, tmp_path / "old.h5", **WITH_LAYERS)
    found, _ = _predicted(tmp_path, config)
    np.testing.assert_allclose(found, _by_hand(images), rtol=1e-4, atol=0.5)


def test_a_function_that_keras_has_changed_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    write_keras2(tmp_path / "old.h5", _keras2_text("hard_sigmoid"), _keras2_weights())
    with pytest.raises(IncompatibleArtifact, match="another function in Keras 2"):
        network_of_file(tmp_path / "old.h5", _unscaled(tmp_path, "m"))


def test_open_axes_take_their_length_from_the_session(tmp_path: Path) -> None:
    image = keras.Input((None, None, 1))
    keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(image)).save(tmp_path / "a.keras")
    config = session(tmp_path, "FCN", tmp_path / "a.keras")
    with pytest.raises(IncompatibleArtifact, match=r"input_shape .*\(any, any, 1\); got nothing"):
        network_of_file(tmp_path / "a.keras", config)
    config.config_file.input_shape.extend([8, 8, 1])
    assert network_of_file(tmp_path / "a.keras", config).model.output_shape == (None, 8, 8, 2)


@pytest.mark.parametrize("cut", [40, 1000, -40])
def test_a_damaged_file_is_told(cut: int, tmp_path: Path) -> None:
    _plain().save(tmp_path / "whole.keras")
    write_keras2(tmp_path / "whole.h5", _keras2_text(), _keras2_weights())
    for kind in ("keras", "h5"):
        path = tmp_path / f"cut.{kind}"
        path.write_bytes((tmp_path / f"whole.{kind}").read_bytes()[:cut])
        with pytest.raises((CorruptArtifact, IncompatibleArtifact)):
            network_of_file(path, _unscaled(tmp_path, "m"))


def test_statistics_that_no_file_of_keras_holds_are_missed(tmp_path: Path) -> None:
    _plain().save(tmp_path / "a.keras")
    write_images(tmp_path)
    centered = {"augmentation__featurewise_centering_switch": True}
    report = check_session(session(tmp_path, "CNN", tmp_path / "a.keras", **centered))
    assert [row.path for row in report.violations] == ["paths.load_model"]
    assert "mean and deviation" in report.violations[0].message


def test_layers_that_do_not_fit_together_are_told_by_their_place(tmp_path: Path) -> None:
    write_keras2(tmp_path / "old.h5", None, _keras2_weights())
    layers = ["Input:(8, 8, 1)", "Max pooling 2D:(9, 9)", "Flatten", "Dense:2"]
    config = _unscaled(tmp_path, tmp_path / "old.h5", layers__serial_layer_list=layers)
    with pytest.raises(InvalidConfig):
        network_of_file(tmp_path / "old.h5", config)
