"""Rules about layers, skips, hooks and shapes, for all three lists."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import violations, warnings

SERIAL = "layers.serial_layer_list"
GENERATOR = "layers.generator_layer_list"
DISCRIMINATOR = "layers.discriminator_layer_list"
IMAGE = "Input:(8, 8, 1)"
CLASSES = ("Convolution 2D:3", "Activation:softmax")


def _serial(*texts: str) -> dict[str, Any]:
    return {"layers__serial_layer_list": [*texts, *CLASSES]}


def _gan(loss: str, generator: list[str], discriminator: list[str], **more: Any) -> dict[str, Any]:
    return {
        "config_file__model_signal": "GAN",
        "loss_function__loss": loss,
        "preprocessing__normalization_type": "samplewise_negpos_xy",
        "layers__serial_layer_list": [],
        "layers__generator_layer_list": generator,
        "layers__discriminator_layer_list": discriminator,
        **more,
    }


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (_serial(IMAGE, "Permute:(2, 1)"), [(f"{SERIAL}[1].dims", "NOT_A_PERMUTATION")]),
        (_serial(IMAGE, "Permute:(1, 1, 3)"), [(f"{SERIAL}[1].dims", "NOT_A_PERMUTATION")]),
        (_serial(IMAGE, "Permute:(0, 2, 3)"), [(f"{SERIAL}[1].dims", "NOT_A_PERMUTATION")]),
        (_serial(IMAGE, "Permute:(2, 1, 3)"), []),
        (_serial(IMAGE, "Permute:(1, 0, 2)"), []),
        (_serial(IMAGE, "Permute:(2, 1, 3)", "Convolution 2D:3"), []),
        (_serial(IMAGE, "Inner skip target"), [(f"{SERIAL}[1]", "SKIP_WITHOUT_SOURCE")]),
        (_serial(IMAGE, "Inner skip source", "Convolution 2D:1", "Inner skip target:add"), []),
        (
            _serial(IMAGE, "Outer skip source", "Convolution 2D:1", "Inner skip target"),
            [(f"{SERIAL}[3]", "SKIP_WITHOUT_SOURCE")],
        ),
        (_serial(IMAGE, "VGG16:False:none::True", *["Outer skip target"] * 5), []),
        (
            _serial(IMAGE, "VGG16:False:none::True", *["Outer skip target"] * 6),
            [(f"{SERIAL}[7]", "SKIP_WITHOUT_SOURCE")],
        ),
        (
            _serial(IMAGE, "Separable convolution 2D:3:3:2:same:2"),
            [(f"{SERIAL}[1].dilation", "CONTRADICTION")],
        ),
        (
            _serial(IMAGE, "Depthwise separable convolution 2D:3:3:2:same:2:he_normal:::0:0"),
            [(f"{SERIAL}[1].dilation", "CONTRADICTION")],
        ),
        (_serial(IMAGE, "Flatten", "VGG16"), [(f"{SERIAL}[2]", "RANK_MISMATCH")]),
        (_serial(IMAGE, "VGG16:True", "Upsample 2D"), [(f"{SERIAL}[2]", "RANK_MISMATCH")]),
        (_serial(IMAGE, "Reshape:(-1, 8)", "Upsample 2D"), [(f"{SERIAL}[2]", "RANK_MISMATCH")]),
        (
            _serial(IMAGE, "VGG16:False:none:(9, 8, 1)"),
            [(f"{SERIAL}[1].input_shape", "SHAPE_MISMATCH")],
        ),
        (_serial(IMAGE, "Activation:relu", "VGG16:False:none:(8, 8, 1)"), []),
        (_serial(IMAGE, "Convolution 2D:3", "VGG16:False:none:(9, 9, 9)"), []),
        (
            {"layers__serial_layer_list": [IMAGE, "Flatten", "Reshape:(8, 8, 1)", "VGG16:True"]},
            [(f"{SERIAL}[3].include_top", "CLASS_COUNT_MISMATCH")],
        ),
        (
            {"layers__serial_layer_list": [IMAGE, "Separable convolution 2D:4", "ELU", "PreLU"]},
            [(f"{SERIAL}[1].filters", "CLASS_COUNT_MISMATCH")],
        ),
        (
            {
                "layers__serial_layer_list": [
                    IMAGE,
                    "Convolution 2D:4",
                    "Global average pooling 2D",
                    "Activation:softmax",
                ]
            },
            [(f"{SERIAL}[1].filters", "CLASS_COUNT_MISMATCH")],
        ),
    ],
)
def test_layers_of_a_list_go_together(
    changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert violations(**changes) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (_gan("pix2pix", [IMAGE, "Dense:1"], []), [(DISCRIMINATOR, "MISSING")]),
        (_gan("pix2pix", [], [IMAGE, "Dense:1"]), [(GENERATOR, "MISSING")]),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], ["Dense:1"]),
            [(f"{DISCRIMINATOR}[0]", "INPUT_NOT_FIRST")],
        ),
        (
            _gan("pix2pix", [IMAGE, "Upsample 3D"], [IMAGE, "Outer skip target"]),
            [
                (f"{GENERATOR}[1]", "RANK_MISMATCH"),
                (f"{DISCRIMINATOR}[1]", "SKIP_WITHOUT_SOURCE"),
            ],
        ),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], ["Input:(8, 4, 1)", "Dense:1"]),
            [(f"{DISCRIMINATOR}[0].shape", "SHAPE_MISMATCH")],
        ),
        (_gan("pix2pix", ["Input:(8, 8, 3)", "Dense:1"], [IMAGE, "Dense:1"]), []),
        (
            _gan("cyclegan", ["Input:(8, 8, 3)", "Dense:3"], [IMAGE, "Dense:1"]),
            [(f"{DISCRIMINATOR}[0].shape", "SHAPE_MISMATCH")],
        ),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], [IMAGE, "VGG16:False:none:(8, 8, 2)", "Dense:1"]),
            [],
        ),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], [IMAGE, "VGG16:False:none:(8, 8, 1)", "Dense:1"]),
            [],
        ),
        (
            _gan("cyclegan", [IMAGE, "Dense:1"], [IMAGE, "VGG16:False:none:(8, 8, 2)", "Dense:1"]),
            [(f"{DISCRIMINATOR}[1].input_shape", "SHAPE_MISMATCH")],
        ),
        (
            _gan(
                "pix2pix",
                [IMAGE, "Dense:1"],
                [IMAGE, "Dense:1"],
                config_file__input_shape=[9, 8, 1],
            ),
            [("config_file.input_shape", "SHAPE_MISMATCH")],
        ),
        (
            _gan(
                "pix2pix",
                ["Input:(8, 8, 4, 1)", "Dense:1"],
                ["Input:(8, 8, 4, 1)", "Dense:1"],
            ),
            [("preprocessing.image_context", "RANK_MISMATCH")],
        ),
    ],
)
def test_lists_of_a_gan_go_together(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert violations(**changes) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (_serial(IMAGE, "Permute:(1, 0, 2)"), [(f"{SERIAL}[1].dims", "ZERO_BASED_AXES")]),
        (
            _serial(IMAGE, "Outer skip source:add", "Dense:1", "Outer skip target:concatenate"),
            [(f"{SERIAL}[3].skip_type", "SKIP_TYPES_DIFFER")],
        ),
        (_serial(IMAGE, "VGG16:False:none::True", "Outer skip target:add"), []),
        (
            _serial(IMAGE, *["Inner skip source"] * 2, *["Inner skip target"] * 2),
            [(f"{SERIAL}[3]", "NESTED_INNER_SKIPS")],
        ),
        (_serial(IMAGE, *["Inner skip source", "Inner skip target"] * 2), []),
        (_serial(IMAGE, "Hook connection target"), [(f"{SERIAL}[1]", "NO_EFFECT")]),
        (_serial(IMAGE, "Hook connection source"), [(f"{SERIAL}[1]", "NO_EFFECT")]),
        (
            _serial(IMAGE, "VGG16:False:none::False:True"),
            [(f"{SERIAL}[1].hooks", "NO_EFFECT")],
        ),
        (
            _serial(IMAGE, "Outer skip source", "VGG16:False:none::True"),
            [(f"{SERIAL}[2].skips", "SOURCES_REPLACED")],
        ),
        (_serial(IMAGE, "VGG16:False:imagenet"), [(f"{SERIAL}[1].weights", "KERNEL_AVERAGED")]),
        (_serial("Input:(8, 8, 3)", "VGG16:False:imagenet"), []),
        (_serial(IMAGE, "Convolution 2D:3", "VGG16:False:imagenet"), []),
        (
            _serial("Input:(8, 8, 3)", "VGG16:False:none::False:False:True"),
            [(f"{SERIAL}[1].input_scaling", "RANGE_MISMATCH")],
        ),
        (
            {"layers__serial_layer_list": [IMAGE, "Convolution 2D:3", "Dropout:0.5"]},
            [(f"{SERIAL}[2]", "NO_PROBABILITIES")],
        ),
        (
            {"layers__serial_layer_list": [IMAGE, "Convolution 2D:3", "Activation:relu"]},
            [(f"{SERIAL}[2]", "NO_PROBABILITIES")],
        ),
        (
            {"layers__serial_layer_list": [IMAGE, *CLASSES, "Hook connection target"]},
            [(f"{SERIAL}[3]", "NO_EFFECT")],
        ),
        ({"layers__generator_layer_list": [IMAGE]}, [(GENERATOR, "NOT_USED")]),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], [IMAGE, "Hook connection source", "Dense:1"]),
            [(f"{DISCRIMINATOR}[1]", "NO_EFFECT")],
        ),
        (
            _gan(
                "pix2pix",
                [IMAGE, "Dense:1", "Activation:tanh"],
                [IMAGE, "Dense:1"],
                preprocessing__normalization_type="samplewise_unity_x",
            ),
            [("preprocessing.normalization_type", "RANGE_MISMATCH")],
        ),
        (_gan("pix2pix", [IMAGE, "Dense:1", "Activation:tanh"], [IMAGE, "Dense:1"]), []),
        (
            _gan(
                "pix2pix",
                ["Input:(8, 8, 3)", "Dense:1"],
                [IMAGE, "Dense:1"],
                config_file__input_shape=[8, 8, 1],
            ),
            [("config_file.input_shape", "SHAPE_MISMATCH")],
        ),
        (
            _gan("pix2pix", [IMAGE, "Dense:1"], [IMAGE, "VGG16:False:imagenet", "Dense:1"]),
            [(f"{DISCRIMINATOR}[1].weights", "KERNEL_AVERAGED")],
        ),
    ],
)
def test_doubtful_layers_are_warned_of(
    changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert warnings(**changes) == found


def test_three_channels_of_two_joined_images_suit_the_weights_of_imagenet() -> None:
    judge = [IMAGE, "VGG16:False:imagenet", "Dense:1"]
    assert warnings(**_gan("pix2pix", ["Input:(8, 8, 2)", "Dense:1"], judge)) == []


def test_input_shape_of_a_gan_is_its_generators() -> None:
    changes = _gan("pix2pix", ["Input:(8, 8, 2)", "Dense:1"], [IMAGE, "Dense:1"])
    changes["layers__serial_layer_list"] = ["Input:(9, 9, 9)"]
    assert violations(**changes) == []
    assert warnings(**changes) == [(SERIAL, "NOT_USED")]


def test_nothing_is_said_of_what_follows_a_layer_that_cannot_be_read() -> None:
    layers = _serial(IMAGE, "Max poling 2D", "Upsample 3D", "Inner skip target")
    assert violations(**layers) == [(f"{SERIAL}[1]", "UNKNOWN_LAYER")]
