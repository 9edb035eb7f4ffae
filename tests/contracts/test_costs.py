"""The cost of every layer type of the schema is known, not guessed."""

import keras
import pytest

from dlae_core.cost.calls import calls_of
from dlae_core.cost.memory import KEPT
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from tests.contracts.test_layers import CASES

pytestmark = pytest.mark.keras

# With operations and layers that no layer type makes.
BACKBONES = ("ResNeXt50", "MobileNetV2")


def _kinds(layers: list[str]) -> set[str]:
    with keras.StatelessScope(initialize_variables=False):
        network = build_network([parse_layer(layer) for layer in layers], "layers")
    return {call.kind for call in calls_of(network.model)}


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "backbone"])
def test_it_is_known_what_every_layer_type_keeps_for_its_gradient(kind: str) -> None:
    for layers, _ in CASES[kind]:
        # What an activation keeps depends on its function.
        assert _kinds(layers) <= {*KEPT, "Activation"}


@pytest.mark.parametrize("name", BACKBONES)
def test_it_is_known_what_backbones_keep(name: str) -> None:
    assert _kinds(["Input:(64, 64, 1)", name]) <= {*KEPT, "Activation"}
