"""Layers that training leaves as they are."""

import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.families.table import family_of
from dlae_core.transfer.freezing import freeze
from tests.sessions import config_text

pytestmark = pytest.mark.keras

LAYERS = [
    "Input:(8, 8, 1)",
    "Convolution 2D:4:(3, 3)",
    "Batch normalization",
    "Activation:relu",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]


def _config(frozen: str, tmp_path: object) -> Config:
    text = config_text(
        tmp_path,
        layers__serial_layer_list=LAYERS,
        training_configurations__frozen_layers=frozen,
    )
    return load_config(text).config


@pytest.mark.parametrize(
    ("frozen", "trained"),
    [
        ("", {1, 2, 4}),
        ("1", {2, 4}),
        ("0-2", {4}),
        ("0 - 1, 4", {2}),
        ("Batch normalization", {1, 4}),
        ("Convolution*", {2}),
        ("item004_*", {1, 2}),
    ],
)
def test_patterns_choose_layers(frozen: str, trained: set[int], tmp_path: object) -> None:
    config = _config(frozen, tmp_path)
    networks = family_of(config).networks(config)
    assert freeze(networks, config) == []
    variables = networks[0].model.trainable_variables
    assert {int(one.path[4:7]) for one in variables} == trained
    summary = networks[0].summary()
    assert summary.parameters == 40 + 16 + 10
    sizes = {1: 40, 2: 8, 4: 10}
    assert summary.trainable_parameters == sum(sizes[item] for item in trained)


@pytest.mark.parametrize(
    ("frozen", "reasons"),
    [
        ("7", ["NO_SUCH_LAYER"]),
        ("1, Dense", ["NO_SUCH_LAYER"]),
        ("0-5", ["NOTHING_TO_TRAIN"]),
    ],
)
def test_patterns_that_choose_nothing_or_everything_are_refused(
    frozen: str, reasons: list[str], tmp_path: object
) -> None:
    config = _config(frozen, tmp_path)
    found = freeze(family_of(config).networks(config), config)
    assert [violation.reason for violation in found] == reasons
