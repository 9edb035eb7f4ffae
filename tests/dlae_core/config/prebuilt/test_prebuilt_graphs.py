"""The prebuilt networks as Keras graphs, counted: those that DLAE 1.0 was run on, one per family.

No weights are made: the graphs would fill gigabytes.
"""

import json
from collections.abc import Iterator

import keras
import pytest

from dlae_core.config import read_config
from dlae_core.config.prebuilt import prebuilt, prebuilt_sections
from dlae_core.errors import InvalidConfig
from dlae_core.graph import Network, build_network
from tests.dlae_core.config.prebuilt.tracing import layers_of, trace
from tests.reference import reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

PATH = "layers.serial_layer_list"
NAMES = (
    *("lenet5", "alexnet", "vgg16", "resnet50", "densenet121", "unet2d", "unet3d"),
    *("vgg16_unet", "resnet50_unet", "resnet50v2_unet", "resnext50_unet"),
    *("inceptionv3_unet", "inceptionresnetv2_unet", "xception_unet"),
    *("densenet121_unet", "densenet169_unet", "mobilenet_unet", "mobilenetv2_unet"),
)
SMALLEST = {"lenet5": 8, "alexnet": 215, "vgg16": 32, "xception": 71, "inceptionv3": 75}


@pytest.fixture(autouse=True, scope="module")
def _without_weights() -> Iterator[None]:
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()


def _build(name: str, shape: tuple[int, ...] | None = None) -> Network:
    sections = {"layers": prebuilt_sections(name, shape)["layers"]}
    return build_network(read_config(json.dumps(sections)).config.layers.serial_layer_list, PATH)


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_is_what_the_layer_list_and_dlae_1_0_say(name: str) -> None:
    network = _build(name)
    found = trace(layers_of(name), prebuilt(name).input_shape[:-1])
    assert network.output_shape == (*found.space, found.channels)
    assert network.model.count_params() == found.parameters
    golden = json.loads(reference_path("golden", "models.json").read_text())["configs"]
    if f"prebuilt_configs/{name}.json" in golden:
        shipped = golden[f"prebuilt_configs/{name}.json"]["models"]["model"]
        assert network.model.count_params() == shipped["total_params"]
        assert [None, *network.output_shape] == shipped["outputs"][0]


@pytest.mark.parametrize("name", SMALLEST)
def test_classifiers_take_the_smallest_image_that_is_allowed(name: str) -> None:
    side = SMALLEST[name]
    assert _build(name, (side, side, 3)).output_shape == (10 if name == "lenet5" else 1000,)
    with pytest.raises(InvalidConfig):
        prebuilt_sections(name, (side, side - 1, 3))
