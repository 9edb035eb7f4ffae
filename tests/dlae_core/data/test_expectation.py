"""What a configuration is seen to expect without its network is what its network expects."""

import json
from typing import Any

import pytest

from dlae_core.config import load_config
from dlae_core.data.expectation import expectation_from_config
from tests.dlae_core.config.examples import sections

pytestmark = pytest.mark.keras

CNN = {"config_file__model_signal": "CNN"}
SPARSE = {
    "loss_function__loss": "sparse_categorical_crossentropy",
    "preprocessing__categorical_switch": False,
}
VALUES = {
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
}
FLAT = ["Input:(8, 8, 1)", "Convolution 2D:4:(3, 3)", "Flatten", "Dense:3", "Activation:softmax"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        SPARSE,
        VALUES,
        {**CNN, "layers__serial_layer_list": FLAT},
        {**CNN, **SPARSE, "layers__serial_layer_list": FLAT},
        {**CNN, **VALUES, "layers__serial_layer_list": FLAT[:-1]},
        {
            "preprocessing__repeat_X_switch": True,
            "preprocessing__repeat_X_quantity": 2,
            "layers__serial_layer_list": [
                "Input:(8, 8, 2)",
                "Convolution 2D:3:(1, 1)",
                "Activation:softmax",
            ],
        },
    ],
)
def test_both_expect_the_same(changes: dict[str, Any]) -> None:
    from dlae_core.families.table import family_of

    config = load_config(json.dumps(sections(**changes))).config
    family = family_of(config)
    (network,) = family.networks(config)
    assert expectation_from_config(config, (1,)) == family.expectation(config, network)
