"""Networks of the literature: feature levels, outputs, weights, and where they may stand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.backbones.base import Features, build_backbone
from dlae_core.backbones.table import BACKBONES
from tests.reference import reference_path

pytestmark = pytest.mark.keras

ROWS, COLUMNS = 96, 128

# Section 2.3 of the specification: channels of the five levels, channels of the output, and the
# number of parameters for one channel without the classifier.
SPECIFIED: dict[str, tuple[tuple[int, ...], int, int]] = {
    "Xception": ((32, 256, 728, 1024, 2048), 2048, 20860904),
    "VGG16": ((64, 128, 256, 512, 512), 512, 14713536),
    "VGG19": ((64, 128, 256, 512, 512), 512, 20023232),
    "ResNet50": ((64, 256, 512, 1024, 2048), 2048, 23581440),
    "ResNet101": ((64, 256, 512, 1024, 2048), 2048, 42651904),
    "ResNet152": ((64, 256, 512, 1024, 2048), 2048, 58364672),
    "ResNet50V2": ((64, 64, 128, 256, 2048), 2048, 23558528),
    "ResNet101V2": ((64, 64, 128, 256, 2048), 2048, 42620288),
    "ResNet152V2": ((64, 64, 128, 256, 2048), 2048, 58325376),
    "ResNeXt50": ((64, 256, 512, 1024, 2048), 2048, 23041856),
    "ResNeXt101": ((64, 256, 512, 1024, 2048), 2048, 42260288),
    "InceptionV3": ((32, 80, 96, 192, 2048), 2048, 21802208),
    "InceptionResNetV2": ((32, 80, 256, 288, 1536), 1536, 54336160),
    "DenseNet121": ((64, 256, 512, 1024, 1024), 1024, 7031232),
    "DenseNet169": ((64, 256, 512, 1280, 1664), 1664, 12636608),
    "DenseNet201": ((64, 256, 512, 1792, 1920), 1920, 18315712),
    "MobileNet": ((64, 128, 256, 512, 1024), 1024, 3228288),
    "MobileNetV2": ((96, 144, 192, 576, 1280), 1280, 2257408),
}


@pytest.fixture
def unfilled() -> Iterator[None]:
    """Keeps weights without values, which shapes and counts do not need."""
    with keras.StatelessScope(initialize_variables=False):
        yield


def _parameters(features: Features) -> int:
    return sum(layer.count_params() for layer in features.layers)


def test_the_table_has_the_networks_of_the_specification() -> None:
    assert set(BACKBONES) == set(SPECIFIED)


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", SPECIFIED)
def test_a_network_has_the_levels_and_parameters_of_the_specification(network: str) -> None:
    channels, output_channels, parameters = SPECIFIED[network]
    image = keras.Input((ROWS, COLUMNS, 1))
    features = build_backbone(network, image, name="net")
    first = 0 if network.startswith("VGG") else 1
    expected = [
        (None, ROWS >> scale, COLUMNS >> scale, count)
        for scale, count in enumerate(channels, start=first)
    ]
    assert [tuple(level.shape) for level in features.levels] == expected
    lost = 2 if network.startswith("Inception") else 0
    size = (None, ROWS // 32 - lost, COLUMNS // 32 - lost, output_channels)
    assert tuple(features.output.shape) == size
    assert _parameters(features) == parameters
    model = keras.Model(image, [*features.levels, features.output])
    # The first level of ResNetV2 has a normalization of 64 channels of its own.
    is_resnet_v2 = network.startswith("ResNet") and network.endswith("V2")
    assert model.count_params() - parameters == (256 if is_resnet_v2 else 0)
    assert all(layer.name.startswith("net_") for layer in model.layers[1:])


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize(
    ("network", "file"),
    [("DenseNet121", "densenet121"), ("ResNet50", "resnet50"), ("VGG16", "vgg16")],
)
def test_classifiers_have_the_parameters_of_1_0(network: str, file: str) -> None:
    golden = json.loads(reference_path("golden", "models.json").read_text())["configs"]
    model = golden[f"prebuilt_configs/{file}.json"]["models"]["model"]
    image = keras.Input(model["inputs"][0][1:])
    features = build_backbone(network, image, name="net", include_top=True)
    assert _parameters(features) == model["total_params"]
    assert list(features.output.shape) == model["outputs"][0]
    assert len(features.levels) == 5


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", ["ResNeXt50", "InceptionV3", "MobileNet", "Xception"])
def test_classifiers_take_any_size_and_number_of_channels(network: str) -> None:
    features = build_backbone(network, keras.Input((101, 90, 5)), name="net", include_top=True)
    assert tuple(features.output.shape) == (None, 1000)


def test_class_probabilities_sum_to_one() -> None:
    image = keras.Input((32, 40, 2))
    features = build_backbone("MobileNet", image, name="net", include_top=True)
    output = keras.Model(image, features.output)(np.ones((2, 32, 40, 2), np.float32))
    np.testing.assert_allclose(np.sum(output, axis=-1), 1, rtol=1e-5)


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", ["InceptionV3", "Xception", "ResNeXt50"])
def test_two_of_a_network_differ_only_by_their_prefix(network: str) -> None:
    image = keras.Input((96, 96, 1))
    # Another network before them must not shift what the layers are called.
    build_backbone("MobileNet", image, name="earlier")
    first = build_backbone(network, image, name="one")
    second = build_backbone(network, image, name="two")
    both = keras.Model(image, [*first.levels, *second.levels])
    assert both.count_params() == 2 * keras.Model(image, first.levels).count_params()
    configs = [
        json.dumps(keras.Model(image, [*features.levels], name="m").get_config())
        for features in (first, second)
    ]
    assert configs[0].replace("one_", "two_") == configs[1]


def test_a_network_may_follow_other_layers_and_two_inputs() -> None:
    target, source = keras.Input((32, 32, 1)), keras.Input((32, 32, 2))
    joined = keras.layers.Concatenate(name="images")([target, source])
    image = keras.layers.Conv2D(4, 3, padding="same", name="conv")(joined)
    features = build_backbone("MobileNet", image, name="net")
    names = {layer.name for layer in features.layers}
    assert not names & {"images", "conv"}
    model = keras.Model([target, source], features.output)
    assert model.count_params() == 9 * 3 * 4 + 4 + _parameters(features)
    # Three input channels more than the one of the table.
    assert _parameters(features) == 3228288 + 3 * 9 * 32


def test_a_saved_network_opens_without_dlae(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 3))
    features = build_backbone("MobileNet", image, name="net", input_scaling=True)
    model = keras.Model(image, [features.levels[0], features.output])
    model.save(tmp_path / "model.keras")
    opened: Any = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    batch = np.random.default_rng(1).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    for own, found in zip(model(batch), opened(batch), strict=True):
        np.testing.assert_allclose(found, own, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", ["ResNeXt50", "InceptionResNetV2", "VGG16"])
def test_a_network_is_made_of_layers_of_keras(network: str) -> None:
    image = keras.Input((75, 75, 3))
    features = build_backbone(network, image, name="net", input_scaling=True)
    model = keras.Model(image, [*features.levels, features.output])
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    assert again.count_params() == model.count_params()
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", ["VGG16", "MobileNetV2", "ResNet50V2", "DenseNet121"])
def test_sides_need_not_be_divisible_by_32(network: str) -> None:
    features = build_backbone(network, keras.Input((45, 70, 1)), name="net")
    assert all(0 not in level.shape for level in features.levels)


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize(
    ("network", "shape", "side"),
    [
        ("Xception", (70, 200, 1), 71),
        ("InceptionV3", (200, 74, 1), 75),
        ("InceptionResNetV2", (74, 74, 1), 75),
        ("ResNet50", (31, 32, 1), 32),
    ],
)
def test_too_small_images_are_refused(network: str, shape: tuple[int, ...], side: int) -> None:
    with pytest.raises(ValueError, match=f"{network} expects images of at least {side} rows"):
        build_backbone(network, keras.Input(shape), name="net")


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("network", ["Xception", "InceptionV3", "VGG19", "MobileNetV2"])
def test_the_smallest_images_can_be_used(network: str) -> None:
    side = BACKBONES[network].smallest_side
    features = build_backbone(network, keras.Input((side, side, 1)), name="net")
    assert all(min(level.shape[1:]) > 0 for level in (*features.levels, features.output))


def test_volumes_are_refused() -> None:
    with pytest.raises(ValueError, match="expects images of shape"):
        build_backbone("VGG16", keras.Input((32, 32, 32, 1)), name="net")
