"""Reading: what a text gives, and everything wrong with it."""

import json
import time

import pytest

from dlae.v1.config_pb2 import AdditionalLoss
from dlae_core.config import read_config
from dlae_core.config.read import Reading
from tests.dlae_core.config.examples import sections
from tests.reference import ROOT, reference_path

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*configs/*.json"))
COMPLETE = ("alexnet", "lenet5", "unet2d", "unet3d")


def _read(**changes: object) -> Reading:
    return read_config(json.dumps(sections(**changes)))


def _found(reading: Reading) -> list[tuple[str, str]]:
    return [(row.path, row.reason) for row in reading.violations]


@pytest.mark.parametrize("file", FILES or ["configs/none.json"])
def test_file_of_1_0_reads_but_for_layers_to_come(file: str) -> None:
    reading = read_config(reference_path(file).read_text())
    assert {row.reason for row in reading.violations} <= {"NOT_SUPPORTED_YET"}
    assert all(row.path.startswith("layers.") for row in reading.violations)


@pytest.mark.parametrize("name", COMPLETE)
def test_file_of_1_0_reads_completely(name: str) -> None:
    text = reference_path("prebuilt_configs", f"{name}.json").read_text()
    reading = read_config(text)
    given = json.loads(text)
    assert reading.violations == ()
    assert len(reading.config.layers.serial_layer_list) == len(given["layers"]["serial_layer_list"])
    assert reading.config.config_file.model_signal == given["config_file"]["model_signal"]


def test_texts_and_native_values_give_the_same_message() -> None:
    native = {
        "preprocessing": {"categorical_switch": True, "categories": 4},
        "augmentation": {"brightness_range": [0.5, 1.5], "zca_epsilon": None, "random_seed": 7},
        "optimizer": {"gan_optimizer": {"optimizer": "SGD", "momentum": 0.5}},
        "bbd_options": {"steps": [[8], [16, 4]], "scales": [0.1, 0.9]},
    }
    texts = {
        "preprocessing": {"categorical_switch": "True", "categories": "4"},
        "augmentation": {
            "brightness_range": "(0.5, 1.5)",
            "zca_epsilon": "None",
            "random_seed": "7",
        },
        "optimizer": {"gan_optimizer": "SGD::::0.5"},
        "bbd_options": {"steps": "(8, (16, 4))", "scales": "0.1, 0.9"},
    }
    first, second = read_config(json.dumps(native)), read_config(json.dumps(texts))
    assert first.violations == second.violations == ()
    assert first.config == second.config


def test_blanks_in_names_are_underscores() -> None:
    reading = read_config('{"loss function": {"loss": "focal"}, "training configurations": {}}')
    assert reading.violations == ()
    assert reading.config.loss_function.loss == "focal"


def test_only_what_the_text_gives_is_set() -> None:
    config = read_config('{"preprocessing": {"categories": ""}, "paths": null}').config
    assert config.HasField("preprocessing")
    assert not config.preprocessing.HasField("categories")
    assert not config.HasField("paths")


def test_syntax_error_names_line_and_column() -> None:
    (violation,) = read_config('{\n "paths": {,}\n}').violations
    assert (violation.path, violation.reason) == ("", "INVALID_JSON")
    assert "line 2, column 12" in violation.message


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{" * 100, '{"a":' * 100_000, f'{{"a": {"9" * 9000}}}', "x" * (2**24 + 1)],
    ids=["empty", "list", "number", "unclosed", "deep", "digits", "long"],
)
def test_text_that_is_no_configuration_is_one_violation(text: str) -> None:
    (violation,) = read_config(text).violations
    assert (violation.path, violation.reason) == ("", "INVALID_JSON")


def test_unknown_names_are_refused_with_the_nearest_known() -> None:
    reading = read_config('{"optimiser": {}, "paths": {"train_x": "a", "qqq": 1}}')
    assert _found(reading) == [
        ("optimiser", "UNKNOWN_KEY"),
        ("paths.train_x", "UNKNOWN_KEY"),
        ("paths.qqq", "UNKNOWN_KEY"),
    ]
    messages = [row.message for row in reading.violations]
    assert "did you mean 'optimizer'?" in messages[0]
    assert "did you mean 'train_X'?" in messages[1]
    assert "known are load_config" in messages[2]


def test_key_written_twice_is_refused() -> None:
    text = '{"monitors": {"mse_switch": true, "mse switch": false}, "monitors": {}}'
    assert _found(read_config(text)) == [
        ("monitors.mse_switch", "DUPLICATE_KEY"),
        ("monitors", "DUPLICATE_KEY"),
    ]


def test_too_many_keys_are_refused_at_once() -> None:
    text = json.dumps({"paths": {f"key{number}": 1 for number in range(5000)}})
    assert _found(read_config(text)) == [("paths", "INVALID_VALUE")]


@pytest.mark.parametrize(
    ("place", "value", "path", "reason"),
    [
        ("loss_function__loss", "focall", "loss_function.loss", "NOT_ALLOWED"),
        ("loss_function__loss", "Focal", "loss_function.loss", "NOT_ALLOWED"),
        ("loss_function__loss", "f", "loss_function.loss", "NOT_ALLOWED"),
        ("preprocessing__categories", "many", "preprocessing.categories", "INVALID_VALUE"),
        ("preprocessing__categories", 0, "preprocessing.categories", "OUT_OF_RANGE"),
        ("preprocessing__categories", 2**40, "preprocessing.categories", "OUT_OF_RANGE"),
        ("augmentation__random_seed", 2**32, "augmentation.random_seed", "OUT_OF_RANGE"),
        ("augmentation__zoom_range", "1.0", "augmentation.zoom_range", "OUT_OF_RANGE"),
        ("learning_rate_schedule__learning_rate", 0,
         "learning_rate_schedule.learning_rate", "OUT_OF_RANGE"),
        ("config_file__input_shape", "(8, 8)", "config_file.input_shape", "WRONG_LENGTH"),
        ("config_file__input_shape", "(8, 0, 1)", "config_file.input_shape[1]", "OUT_OF_RANGE"),
        ("bbd_options__steps", "(8, -1)", "bbd_options.steps[1]", "OUT_OF_RANGE"),
        ("bbd_options__variances", "(1, 1)", "bbd_options.variances", "WRONG_LENGTH"),
        ("bbd_options__aspect_ratios", [[]], "bbd_options.aspect_ratios[0]", "WRONG_LENGTH"),
        ("optimizer__gan_optimizer", "Adm:0.9", "optimizer.gan_optimizer.optimizer", "NOT_ALLOWED"),
        ("optimizer__gan_optimizer", "Adam:1.5", "optimizer.gan_optimizer.beta1", "OUT_OF_RANGE"),
        ("optimizer__gan_optimizer", {"beta3": 1},
         "optimizer.gan_optimizer.beta3", "UNKNOWN_KEY"),
        ("optimizer__gan_optimizer", 3, "optimizer.gan_optimizer", "INVALID_VALUE"),
        ("learning_rate_schedule__gan_learning_rate", "1:0:0",
         "learning_rate_schedule.gan_learning_rate", "TOO_MANY_FIELDS"),
        ("layers__serial_layer_list", "Dense:3", "layers.serial_layer_list", "INVALID_VALUE"),
        ("layers__serial_layer_list", [3], "layers.serial_layer_list[0]", "INVALID_VALUE"),
        ("layers__serial_layer_list", [{"dense": {}}],
         "layers.serial_layer_list[0]", "INVALID_VALUE"),
        ("layers__serial_layer_list", ["Dens:3"], "layers.serial_layer_list[0]", "UNKNOWN_LAYER"),
        ("layers__serial_layer_list", ["Convolution 2D:4:(3, 3, 3)"],
         "layers.serial_layer_list[0].kernel", "WRONG_LENGTH"),
    ],
)  # fmt: skip
def test_wrong_value_is_named_with_its_path(
    place: str, value: object, path: str, reason: str
) -> None:
    assert _found(_read(**{place: value})) == [(path, reason)]


def test_message_of_a_wrong_choice_lists_the_choices_and_the_nearest() -> None:
    (violation,) = _read(optimizer__optimizer="adam").violations
    assert violation.message == (
        "expected one of Adam, NAdam, SGD, RMSprop, Adagrad, Adadelta, Adamax, got 'adam'; "
        "did you mean 'Adam'?"
    )


def test_message_of_a_wrong_number_states_the_range() -> None:
    (violation,) = _read(training_configurations__batch_size=0).violations
    assert violation.message == "expected a number at least 1 samples, got 0"


def test_lists_and_texts_that_are_too_long_are_refused_at_once() -> None:
    reading = _read(
        layers__serial_layer_list=["Nothing"] * 5000, optimizer__gan_optimizer=":" * 20_000
    )
    assert sorted(_found(reading)) == [
        ("layers.serial_layer_list", "INVALID_VALUE"),
        ("optimizer.gan_optimizer", "INVALID_VALUE"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        ["soft_dice:0.5:1e-5", "focal", ""],
        ["soft_dice:0.5:1e-5:None", {"loss": "focal"}, None],
        [{"loss": "soft_dice", "weight": "0.5", "parameter1": 1e-5}, " focal : ", {}],
    ],
)
def test_lists_of_texts_with_colons_are_read_in_every_form(given: list[object]) -> None:
    reading = _read(loss_function__additional_losses=given)
    assert reading.violations == ()
    assert list(reading.config.loss_function.additional_losses) == [
        AdditionalLoss(loss="soft_dice", weight=0.5, parameter1=1e-5),
        AdditionalLoss(loss="focal"),
        AdditionalLoss(),
    ]


def test_one_text_with_colons_is_a_list_of_one_and_an_empty_one_none() -> None:
    reading = _read(loss_function__additional_losses="focal:2")
    (one,) = reading.config.loss_function.additional_losses
    assert (one.loss, one.weight) == ("focal", 2)
    for nothing in ("", None, []):
        reading = _read(loss_function__additional_losses=nothing)
        assert (len(reading.config.loss_function.additional_losses), reading.violations) == (0, ())


def test_items_keep_their_positions_where_one_cannot_be_read() -> None:
    reading = _read(loss_function__additional_losses=["focal", 3, "soft_dice"])
    found = [one.loss for one in reading.config.loss_function.additional_losses]
    assert found == ["focal", "", "soft_dice"]
    assert _found(reading) == [("loss_function.additional_losses[1]", "INVALID_VALUE")]
    assert "loss_function.additional_losses[1]" in reading.doubtful


def test_section_that_is_no_object_is_refused() -> None:
    assert _found(read_config('{"paths": "X.h5"}')) == [("paths", "INVALID_VALUE")]


def test_layers_keep_their_positions_where_one_cannot_be_read() -> None:
    reading = _read(layers__serial_layer_list=["Input:(8, 8, 1)", "Nothing", "Flatten"])
    kinds = [layer.WhichOneof("type") for layer in reading.config.layers.serial_layer_list]
    assert kinds == ["input", None, "flatten"]
    assert "layers.serial_layer_list[1]" in reading.doubtful


def test_message_of_a_layer_quotes_it() -> None:
    (violation,) = _read(layers__serial_layer_list=["Convolution 2D:none"]).violations
    assert violation.message.endswith("got 'none', in 'Convolution 2D:none'")


@pytest.mark.parametrize("fill", [":", "1,", "(", "x", "-"])
def test_layers_that_would_take_minutes_to_read_are_refused_at_once(fill: str) -> None:
    start = time.perf_counter()
    layers = [f"Convolution 2D:8:({fill * (7000 // len(fill))}{item})" for item in range(2000)]
    reading = read_config(json.dumps({"layers": {"serial_layer_list": layers}}))
    assert time.perf_counter() - start < 2
    (violation,) = reading.violations
    assert violation.message.startswith("expected at most 500000 characters, got 14")


def test_largest_file_reads_in_well_under_20_milliseconds() -> None:
    text = reference_path("prebuilt_configs", "unet3d.json").read_text()
    read_config(text)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        read_config(text)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.02
