"""The prebuilt networks as Keras graphs: every one is built, and counted.

No weights are made: the graphs of all 40 would fill 15 GB.
"""

import json
from collections.abc import Iterator

import keras
import pytest

from dlae_core.config import read_config
from dlae_core.config.prebuilt import prebuilt, prebuilt_names, prebuilt_sections
from dlae_core.errors import InvalidConfig
from dlae_core.graph import Network, build_network
from tests.dlae_core.config.prebuilt.tracing import layers_of, trace
from tests.reference import reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

PATH = "layers.serial_layer_list"
SERIAL = [name for name in prebuilt_names() if prebuilt(name).model_signal in ("CNN", "FCN")]
SMALLEST = {
    "lenet5": 8,
    "alexnet": 215,
    "vgg16": 32,
    "resnet50v2": 32,
    "inceptionv3": 75,
    "inceptionresnetv2": 75,
    "xception": 71,
    "mobilenetv2": 32,
}


@pytest.fixture(autouse=True)
def _without_weights() -> Iterator[None]:
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()


def _build(name: str, shape: tuple[int, ...] | None = None) -> Network:
    sections = {"layers": prebuilt_sections(name, shape)["layers"]}
    return build_network(read_config(json.dumps(sections)).config.layers.serial_layer_list, PATH)


@pytest.mark.parametrize("name", SERIAL)
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
