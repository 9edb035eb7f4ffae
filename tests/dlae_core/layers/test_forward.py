"""Layer strings give what DLAE 1.0 gave with the same weights."""

import json
from typing import Any

import numpy as np
import pytest

from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from tests.reference import ROOT, reference_path

pytestmark = pytest.mark.keras

# What DLAE 1.0 could not build, by its finding in the specification, and can be built now.
NEVER_BUILT = {
    "bn_empty": "L5",
    "conv3d_dilNone": "L3",
    "outer_source_second": "G2",
    "resize2d_first": "G2",
}
# What is built in another way on purpose.
BUILT_OTHERWISE = {"two_inner_nested": "G1"}


def _cases() -> dict[str, Any]:
    file = ROOT / "golden" / "forward.json"
    return json.loads(file.read_text())["cases"] if file.is_file() else {}


CASES = _cases()
COMPARED = [
    name for name, case in CASES.items() if not case["errors"] and name not in BUILT_OTHERWISE
]


def _model(name: str) -> Any:
    layers = [parse_layer(text) for text in CASES[name]["layers"]]
    return build_network(layers, "layers.serial_layer_list").model


def test_every_case_is_compared_or_named() -> None:
    reference_path("golden", "forward.json")
    assert set(CASES) == {*COMPARED, *NEVER_BUILT, *BUILT_OTHERWISE}


@pytest.mark.parametrize("name", COMPARED)
def test_layers_give_what_they_gave_in_1_0(name: str) -> None:
    arrays = np.load(reference_path("golden", "forward.npz"))
    model = _model(name)
    count = len(CASES[name]["weight_shapes"])
    model.set_weights([arrays[f"{name}/w{number}"] for number in range(count)])
    output = model(arrays[f"{name}/x"], training=False)
    np.testing.assert_allclose(output, arrays[f"{name}/y"], rtol=1e-4, atol=1e-5)


def test_penalty_on_the_output_is_the_mean_over_the_batch_where_1_0_has_the_sum() -> None:
    name = "conv2d_l1_l2_activity"
    arrays = np.load(reference_path("golden", "forward.npz"))
    model = _model(name)
    model.set_weights([arrays[f"{name}/w{number}"] for number in range(2)])
    output = arrays[f"{name}/y"].astype(np.float64)
    model(arrays[f"{name}/x"])
    kernel = arrays[f"{name}/w0"].astype(np.float64)
    on_kernel = 0.01 * np.abs(kernel).sum() + 0.02 * (kernel**2).sum()
    on_output = 0.02 * (output**2).sum()
    recorded = CASES[name]["regularization_loss_on_this_input"]
    assert on_kernel + on_output == pytest.approx(recorded, rel=1e-5)
    expected = on_kernel + on_output / len(output)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", NEVER_BUILT)
def test_layers_that_1_0_could_not_build_are_built(name: str) -> None:
    reference_path("golden", "forward.json")
    assert _model(name).output_shape[0] is None
