"""Whoever asks, and however: one answer, that of the network in plain Keras. Every family.

The real server and its processes, with OpenVINO; the Open Inference Protocol message by message,
for Triton's own client is tried in tests/dlae_server.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_client import Client, InvalidRequest
from dlae_client.predictions import Asked
from dlae_core.config import load_config
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.detection.decoding import Decoder
from dlae_core.families.table import family_of
from dlae_core.inference import infer
from dlae_server import oip
from examples.session import running_server
from tests.dlae_core.families.configurations import DETECTION, IMAGE, JUDGE, TRANSLATION
from tests.dlae_core.prediction.bundles import with_random_weights
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

TYPES = oip.methods()
SEGMENTING = [IMAGE, *["Convolution 2D:4", "Activation:relu"] * 2, "Convolution 2D:2"]
VOLUMES = ["Input:(6, 6, 4, 1)", "Convolution 3D:4", "Activation:relu", "Flatten", "Dense:3"]
SOFTMAX = ["Activation:softmax"]
SECTIONS: dict[str, dict[str, Any]] = {
    "classifier": {
        "config_file": {"model_signal": "CNN"},
        "preprocessing": {"image_context": "3D", "categorical_switch": True, "categories": 3},
        "layers": {"serial_layer_list": VOLUMES + SOFTMAX},
    },
    "translator": {
        "config_file": {"model_signal": "GAN"},
        "loss_function": {"loss": "pix2pix"},
        "layers": {"generator_layer_list": TRANSLATION, "discriminator_layer_list": JUDGE},
    },
    "finder": {
        "config_file": {"model_signal": "BBD"},
        "loss_function": {"loss": "ssd"},
        "bbd_options": {"confidence_threshold": 0.5, "top_k": 20},
        "layers": {"serial_layer_list": DETECTION},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("ways")
    write_bright_images(place)
    return place


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with running_server(folder) as address:
        yield address


def _imported(client: Client, folder: Path, name: str) -> Config:
    """Stores an untrained network of random weights; returns its configuration."""
    sections = {**SECTIONS[name], "paths": {"train_X": "X.h5", "train_y": "y.h5"}}
    keras.utils.set_random_seed(5)
    config = load_config(json.dumps(sections)).config
    model = with_random_weights(family_of(config).networks(config)[0].model, 0.5)
    model.save(folder / f"{name}.keras")
    client.import_model(folder / f"{name}.keras", sections, name)
    return config


def _images(name: str) -> np.ndarray:
    shape = (5, 6, 6, 4, 1) if name == "classifier" else (5, 8, 8, 1)
    return np.random.default_rng(8).integers(0, 4000, shape).astype(np.uint16)


def _asked_of_oip(address: str, model: str, images: np.ndarray, **parameters: str) -> np.ndarray:
    """Returns the first output."""
    request, response = TYPES["ModelInfer"]
    given = request(model_name=model, raw_input_contents=[images.tobytes()])
    given.inputs.add(name="input", datatype="UINT16", shape=images.shape)
    for name, value in parameters.items():
        given.parameters[name].string_param = value
    with grpc.insecure_channel(address) as channel:
        path = f"/{oip.SERVICE}/ModelInfer"
        call: Callable[..., Any] = channel.unary_unary(
            path, request.SerializeToString, response.FromString
        )
        answer = call(given)
    output = answer.outputs[0]
    flat = np.frombuffer(answer.raw_output_contents[0], oip.DATATYPES[output.datatype])
    return flat.reshape(tuple(output.shape))


def _in_a_session(bundle: Path, sections: dict[str, Any], images: np.ndarray) -> list[np.ndarray]:
    work = bundle.parent / f"{bundle.name}-session"
    work.mkdir()
    write_samples(work / "X.h5", [(str(at), image) for at, image in enumerate(images)])
    own = {
        **sections,
        "config_file": {**sections["config_file"], "type_signal": "Inference"},
        "paths": {"load_model": str(bundle), "test_X": str(work / "X.h5")},
        "training_configurations": {"batch_size": 3},
    }
    config = load_config(json.dumps(own)).config
    path = infer(config, work / "work", lambda event: None, lambda: False)
    with SampleFile(path) as file:
        return [file.read(str(at)) for at in range(len(images))]


def _in_keras(bundle: Path, images: np.ndarray) -> np.ndarray:
    """Returns what the network gives for images that are scaled to 0..1, each by its own."""
    axes = tuple(range(1, images.ndim))
    low, high = (edge(images, axes, keepdims=True).astype(float) for edge in (np.min, np.max))
    prepared = ((images - low) / (high - low)).astype(np.float32)
    return np.asarray(keras.models.load_model(bundle / "model.keras", compile=False)(prepared))


@pytest.mark.parametrize("name", SECTIONS)
def test_every_way_gives_what_keras_gives(name: str, folder: Path, server: str) -> None:
    images = _images(name)
    with Client(server) as client:
        config = _imported(client, folder, name)
        predicted = client.predict(name, images)
        reply = client.reply(name, images[:1], Asked(describe=True))
        bundle = client.fetch(name, folder / f"{name}-fetched")
    assert reply.description.engine == "openvino"
    np.testing.assert_array_equal(_asked_of_oip(server, name, images), predicted)
    found = _in_a_session(bundle, SECTIONS[name], images)
    expected = _in_keras(bundle, images)
    if name == "finder":
        decoder = Decoder.from_options(config.bbd_options, (8, 8))
        rows = [decoder.boxes(output) for output in expected]
        assert sum(map(len, rows)) > 0
        for alike, ours, keras_boxes in zip(found, predicted, rows, strict=True):
            np.testing.assert_allclose(alike, keras_boxes, atol=1e-3)
            np.testing.assert_allclose(ours[: len(keras_boxes)], keras_boxes, atol=1e-3)
            assert not ours[len(keras_boxes) :].any()
        return
    np.testing.assert_allclose(predicted, expected, atol=1e-5)
    np.testing.assert_allclose(np.stack(found), predicted, atol=1e-6)


def test_a_trained_segmenter_is_the_same_every_way_in_each_precision(
    folder: Path, server: str
) -> None:
    wanted = {"int8_switch": True, "precision_tolerance": 0.99}
    changes = {f"save_configurations__{key}": value for key, value in wanted.items()}
    text = config_text(folder, layers__serial_layer_list=SEGMENTING + SOFTMAX, **changes)
    images = _images("segmenter")
    with Client(server) as client:
        client.wait(client.train(json.loads(text), "segmenter").id)
        plain = client.predict("segmenter", images)
        reduced = client.reply("segmenter", images, Asked("", {"precision": "int8"}, describe=True))
        with pytest.raises(InvalidRequest, match="float32 or int8, got bfloat16, which the model"):
            client.predict("segmenter", images, options={"precision": "bfloat16"})
        bundle = client.fetch("segmenter", folder / "segmenter-fetched")
        card = client.model_card("segmenter").markdown
    assert "| int8 | accepted: dice " in card
    assert (reduced.description.engine, reduced.description.precision) == ("openvino", "int8")
    assert 0 < np.abs(reduced.output - plain).max() < 0.2
    np.testing.assert_allclose(plain, _in_keras(bundle, images), atol=1e-5)
    for precision, expected in (("float32", plain), ("int8", reduced.output)):
        told = _asked_of_oip(server, "segmenter", images, precision=precision)
        np.testing.assert_array_equal(told, expected)
        sections = {"config_file": {"model_signal": "FCN"}, "prediction": {"precision": precision}}
        alike = _in_a_session(bundle.rename(folder / precision), sections, images)
        np.testing.assert_allclose(np.stack(alike), expected, atol=1e-6)
        (folder / precision).rename(bundle)
