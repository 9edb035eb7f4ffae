"""Layer lists to networks."""

import json

import pytest

from dlae_core.config import read_config
from dlae_core.errors import InvalidConfig
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from tests.reference import reference_path

pytestmark = pytest.mark.keras

PATH = "layers.serial_layer_list"


def _layers(*texts: str) -> list:
    return [parse_layer(text) for text in texts]


# Appendix A of the specification: output shape and weights of configurations that DLAE 1.0 shipped.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "output_shape", "parameters"),
    [
        ("prebuilt_configs/unet2d.json", (512, 512, 2), 34540682),
        ("prebuilt_configs/unet3d.json", (128, 128, 64, 2), 103553546),
        ("prebuilt_configs/lenet5.json", (10,), 107874),
        ("prebuilt_configs/alexnet.json", (1000,), 131828776),
        ("configs/example_fcn.json", (512, 512, 4), 34514436),
        ("configs/first_stage_classifier.json", (2,), 5842818),
        ("configs/first_stage_localizer.json", (3,), 5844867),
    ],
)
def test_networks_of_1_0_have_their_shapes_and_weights(
    file: str, output_shape: tuple[int, ...], parameters: int
) -> None:
    text = reference_path(*file.split("/")).read_text()
    network = build_network(read_config(text).config.layers.serial_layer_list, PATH)
    assert (network.output_shape, network.model.count_params()) == (output_shape, parameters)
    golden = json.loads(reference_path("golden", "models.json").read_text())["configs"]
    if file in golden:
        assert network.model.count_params() == golden[file]["models"]["model"]["total_params"]


def test_skips_meet_last_in_first_out() -> None:
    network = build_network(
        _layers(
            "Input:(8, 8, 1)",
            "Convolution 2D:2",
            "Outer skip source",
            "Max pooling 2D",
            "Convolution 2D:3",
            "Outer skip source",
            "Max pooling 2D",
            "Upsample 2D",
            "Outer skip target",
            "Upsample 2D",
            "Outer skip target",
        ),
        PATH,
    )
    assert [item.output_shape for item in network.items[-3:]] == [(4, 4, 6), (8, 8, 6), (8, 8, 8)]


def test_summary_counts_what_each_item_made() -> None:
    summary = build_network(
        _layers("Input:(4, 4, 2)", "Convolution 2D:3:(3, 3)", "Batch normalization"), PATH
    ).summary()
    assert [layer.parameters for layer in summary.layers] == [0, 3 * 3 * 2 * 3 + 3, 12]
    assert summary.parameters == 57 + 12
    assert summary.trainable_parameters == 57 + 6
    assert summary.layers[1].type == "Convolution 2D"


def test_a_layer_that_does_not_fit_is_named_with_item_and_shape() -> None:
    with pytest.raises(InvalidConfig) as caught:
        build_network(_layers("Input:(8, 8, 1)", "Flatten", "Convolution 2D:4"), PATH)
    (violation,) = caught.value.violations
    assert violation.path == f"{PATH}[2]"
    assert violation.reason == "GRAPH_MISFIT"
    assert "(64,)" in violation.message


def test_pooling_away_the_image_is_refused() -> None:
    with pytest.raises(InvalidConfig) as caught:
        build_network(_layers("Input:(2, 2, 1)", "Max pooling 2D:(3, 3)"), PATH)
    assert caught.value.violations[0].path == f"{PATH}[1]"


def test_skips_of_different_sizes_are_refused_at_the_target() -> None:
    with pytest.raises(InvalidConfig) as caught:
        build_network(
            _layers("Input:(8, 8, 1)", "Outer skip source", "Max pooling 2D", "Outer skip target"),
            PATH,
        )
    assert caught.value.violations[0].path == f"{PATH}[3]"
