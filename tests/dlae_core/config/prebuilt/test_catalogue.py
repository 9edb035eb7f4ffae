"""The prebuilt networks: what DLAE 1.0 shipped, other shapes and other numbers of classes."""

import json
from typing import Any

import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import check_config, read_config, resolve_config, write_config
from dlae_core.config.prebuilt import prebuilt, prebuilt_names, prebuilt_sections
from dlae_core.errors import InvalidConfig
from tests.reference import reference_path

NAMES = prebuilt_names()
BACKBONES = {
    *("vgg16", "vgg19", "xception", "mobilenet", "mobilenetv2"),
    *("resnet50", "resnet101", "resnet152", "resnet50v2", "resnet101v2", "resnet152v2"),
    *("resnext50", "resnext101", "inceptionv3", "inceptionresnetv2"),
    *("densenet121", "densenet169", "densenet201"),
}
SHIPPED = (
    *("alexnet", "lenet5", "densenet121", "resnet50", "vgg16"),
    *("unet2d", "unet3d", "densenet121_unet", "inceptionv3_unet", "resnet50_unet"),
    *("resnet50v2_unet", "vgg16_unet", "xception_unet"),
    *("pix2pix", "cyclegan", "ssd", "mobilenet_ssd", "vgg16_ssd"),
)
# Mended faults: what the resolved file must have instead.
MENDED: dict[str, dict[str, Any]] = {
    "mobilenet_ssd": {"bbd_options.steps": None},
    "vgg16_ssd": {"bbd_options.steps": None},
    "pix2pix": {"preprocessing.normalization_type": "samplewise_negpos_xy"},
    "cyclegan": {"preprocessing.normalization_type": "samplewise_negpos_xy"},
}


def _flat(config: Config) -> dict[str, Any]:
    """Returns the values of a resolved configuration by path, those that act on nothing left out.

    Left out are the detection options of networks that detect nothing and the parameters of losses
    that take none.
    """
    resolved = json.loads(write_config(resolve_config(config)))
    if resolved["config_file"]["model_signal"] != "BBD":
        del resolved["bbd_options"]
    if resolved["loss_function"]["loss"] == "sparse_categorical_crossentropy":
        resolved["loss_function"] = {"loss": resolved["loss_function"]["loss"]}
    return {f"{s}.{key}": value for s, keys in resolved.items() for key, value in keys.items()}


def _config(name: str, *arguments: Any) -> Config:
    reading = read_config(json.dumps(prebuilt_sections(name, *arguments)))
    assert reading.violations == ()
    return reading.config


def _other_shape(name: str) -> tuple[int, ...]:
    own = prebuilt(name).input_shape
    return (256, 384, 64, 3)[4 - len(own) :] if name == "unet3d" else (384, 640, 3)


def test_there_are_20_cnn_20_fcn_2_gan_and_19_bbd() -> None:
    models = [prebuilt(name).model_signal for name in NAMES]
    assert {model: models.count(model) for model in models} == {
        "CNN": 20,
        "FCN": 20,
        "GAN": 2,
        "BBD": 19,
    }
    assert set(NAMES) == {
        *("lenet5", "alexnet", "unet2d", "unet3d", "pix2pix", "cyclegan", "ssd"),
        *(name + end for name in BACKBONES for end in ("", "_unet", "_ssd")),
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_recipes_give_what_dlae_1_0_shipped_but_for_the_mended_faults(name: str) -> None:
    text = reference_path("prebuilt_configs", f"{name}.json").read_text()
    expected = {**_flat(read_config(text).config), **MENDED.get(name, {})}
    if name == "alexnet":
        expected["layers.serial_layer_list"].append("Activation:softmax")
    assert _flat(_config(name)) == {path: v for path, v in expected.items() if v is not None}


def test_all_shipped_files_are_compared() -> None:
    files = reference_path("prebuilt_configs").glob("*.json")
    assert {path.stem for path in files} == set(SHIPPED)


def test_densenet169_unet_meets_its_skips_where_densenet121_unet_does() -> None:
    mended, model = (
        prebuilt_sections(f"densenet{depth}_unet")["layers"]["serial_layer_list"]
        for depth in (169, 121)
    )
    assert mended == [text.replace("121", "169") for text in model]
    assert "C22" in prebuilt("densenet169_unet").notes[0]


def test_every_mended_fault_is_a_note_of_its_row() -> None:
    faults = {name: {note.partition(":")[0] for note in prebuilt(name).notes} for name in NAMES}
    assert {name for name in NAMES if "C22" in faults[name]} == {"densenet169_unet"}
    assert {name for name in NAMES if "C23" in faults[name]} == {"alexnet"}
    assert {name for name in NAMES if "C24" in faults[name]} == {f"{n}_ssd" for n in BACKBONES}
    assert {name for name in NAMES if "C25" in faults[name]} == {"pix2pix", "cyclegan"}
    assert "strides 1 to 16" in prebuilt("vgg19_ssd").notes[0]
    assert "strides 2 to 32" in prebuilt("xception_ssd").notes[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("own", [True, False], ids=["as shipped", "changed"])
def test_every_recipe_reads_and_checks_without_a_mistake(name: str, own: bool) -> None:
    classes = None if prebuilt(name).model_signal == "GAN" else 5
    config = resolve_config(_config(name, *(() if own else (_other_shape(name), classes))))
    found = check_config(config).violations
    mistakes = [row for row in found if row.reason != "NOT_SUPPORTED_YET"]
    assert [row.path for row in mistakes] == ["paths.train_X", "paths.train_y"]


@pytest.mark.parametrize("name", NAMES)
def test_another_shape_reaches_every_list_and_backbone(name: str) -> None:
    shape = _other_shape(name)
    config = _config(name, shape)
    assert tuple(config.config_file.input_shape) == shape
    for _, layers in config.layers.ListFields():
        assert tuple(layers[0].input.shape) == shape
        assert all(
            tuple(layer.backbone.input_shape) == shape
            for layer in layers
            if layer.WhichOneof("type") == "backbone"
        )


@pytest.mark.parametrize("name", NAMES)
def test_classes_change_the_outputs_and_the_setting_that_counts_them(name: str) -> None:
    model = prebuilt(name).model_signal
    if model == "GAN":
        return
    config = _config(name, None, 7)
    layers = config.layers.serial_layer_list
    if model == "BBD":
        assert config.bbd_options.number_classes == 7
        assert layers == _config(name).layers.serial_layer_list
    else:
        assert config.preprocessing.categories == 7
        last = layers[-2].dense.units if model == "CNN" else layers[-3].convolution.filters
        assert last == 7


def test_a_gan_makes_images_of_as_many_channels_as_it_takes() -> None:
    layers = _config("pix2pix", (256, 256, 3)).layers
    assert layers.generator_layer_list[-2].resize_convolution.filters == 3
    assert list(layers.discriminator_layer_list[0].input.shape) == [256, 256, 3]


def test_the_steps_of_ssd_hold_for_its_own_rows_and_columns_only() -> None:
    steps = [tuple(item.values) for item in _config("ssd", (512, 512, 3)).bbd_options.steps]
    assert steps == [(8,), (16,), (32,), (64,), (128,), (256,), (512,)]
    assert not _config("ssd", (1024, 1024, 1)).bbd_options.steps


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InvalidConfig) as error:
        prebuilt("Resnet50_unett")
    (violation,) = error.value.violations
    assert (violation.path, violation.reason) == ("config_file.prebuilt", "UNKNOWN_PREBUILT")
    assert violation.message.endswith("got 'Resnet50_unett'; did you mean 'resnet50_unet'?")


@pytest.mark.parametrize(
    ("name", "shape", "classes", "reason", "words"),
    [
        ("unet2d", (250, 250, 1), None, "UNSUITABLE_SHAPE", "multiples of 16 .* (256, 256, 1)"),
        ("vgg16_unet", (500, 512, 1), None, "UNSUITABLE_SHAPE", "of 32 .* (512, 512, 1)"),
        ("resnet50_unet", (96, 96, 3), None, "UNSUITABLE_SHAPE", "of 64 .* (128, 128, 3)"),
        ("inceptionv3_unet", (64, 64, 3), None, "UNSUITABLE_SHAPE", "least 128 .* (128, 128, 3)"),
        ("ssd", (300, 300, 3), None, "UNSUITABLE_SHAPE", "at least 304 .* (304, 304, 3)"),
        ("unet3d", (128, 128, 1), None, "WRONG_LENGTH", "slices"),
        ("vgg16", (64, 64), None, "WRONG_LENGTH", "channels"),
        ("vgg16", (64, 0, 1), None, "OUT_OF_RANGE", "1 to"),
        ("vgg16", (64, 2**31, 1), None, "OUT_OF_RANGE", "1 to 2147483647"),
        ("unet2d", None, 1, "OUT_OF_RANGE", "2 to"),
        ("ssd", None, 0, "OUT_OF_RANGE", "1 to"),
        ("ssd", None, 2**31, "OUT_OF_RANGE", "1 to"),
        ("cyclegan", None, 2, "CONTRADICTION", "no number of classes"),
    ],
)
def test_shapes_and_classes_that_do_not_suit_are_refused(
    name: str, shape: tuple[int, ...] | None, classes: int | None, reason: str, words: str
) -> None:
    with pytest.raises(InvalidConfig) as error:
        prebuilt_sections(name, shape, classes)
    (violation,) = error.value.violations
    assert violation.reason == reason
    assert all(part in violation.message for part in words.split(" .* "))


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidConfig) as error:
        prebuilt_sections("unet2d", (9, 9, 1), 1)
    assert len(error.value.violations) == 2


def test_what_a_caller_changes_does_not_reach_the_catalogue() -> None:
    sections = prebuilt_sections("ssd")
    sections["bbd_options"]["aspect_ratios"][0].append(9.0)
    sections["augmentation"].clear()
    assert prebuilt_sections("ssd") != sections
    assert prebuilt_sections("ssd")["bbd_options"]["aspect_ratios"][0] == [1.0, 2.0, 0.5]
