"""The input that ImageNet weights expect."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from dlae_core.backbones.scaling import scaled_input
from dlae_core.backbones.table import BACKBONES

pytestmark = pytest.mark.keras

# Where Keras has the scaling of each network; that of ResNeXt it no longer has: `torch`.
MODULES = {
    "Xception": "xception",
    "VGG16": "vgg16",
    "VGG19": "vgg19",
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), "resnet"),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), "resnet_v2"),
    **dict.fromkeys(("ResNeXt50", "ResNeXt101"), "densenet"),
    "InceptionV3": "inception_v3",
    "InceptionResNetV2": "inception_resnet_v2",
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), "densenet"),
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
}


def _model(network: str, shape: tuple[int, ...]) -> keras.Model:
    image = keras.Input(shape)
    return keras.Model(image, scaled_input(image, BACKBONES[network].scaling, "net"))


def _scaled(network: str, batch: np.ndarray) -> np.ndarray:
    model = _model(network, batch.shape[1:])
    assert model.count_params() == 0
    return np.array(model(batch))


@pytest.mark.parametrize("network", MODULES)
def test_colours_are_scaled_as_keras_scales_them(network: str) -> None:
    module = importlib.import_module(f"keras.applications.{MODULES[network]}")
    batch = np.random.default_rng(1).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    expected = module.preprocess_input(batch.copy())
    np.testing.assert_allclose(_scaled(network, batch), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("network", "scale", "offset"),
    [
        ("VGG16", 1, -(103.939 + 116.779 + 123.68) / 3),
        ("MobileNet", 1 / 127.5, -1),
        (
            "DenseNet121",
            (1 / 0.229 + 1 / 0.224 + 1 / 0.225) / 3 / 255,
            -(0.485 / 0.229 + 0.456 / 0.224 + 0.406 / 0.225) / 3,
        ),
    ],
)
@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_take_the_mean_of_the_constants(
    network: str, scale: float, offset: float, channels: int
) -> None:
    batch = np.random.default_rng(1).uniform(0, 255, (1, 3, 3, channels)).astype(np.float32)
    np.testing.assert_allclose(
        _scaled(network, batch), batch * scale + offset, rtol=1e-4, atol=1e-4
    )


def test_reversed_colours_open_without_dlae(tmp_path: Path) -> None:
    model = _model("VGG16", (2, 2, 3))
    model.save(tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    batch = np.random.default_rng(1).uniform(0, 255, (1, 2, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(opened(batch), model(batch))
