"""One value: texts of DLAE 1.0 and native JSON."""

from typing import Any

import pytest

from dlae_core.config.literals import UnreadableValue, read_value
from dlae_core.config.schema import Setting, sections, settings


def _setting(path: str) -> Setting:
    section, key = path.split(".")
    return settings(sections()[section].message)[key]


@pytest.mark.parametrize(
    ("path", "given", "value"),
    [
        ("preprocessing.categorical_switch", "True", True),
        ("preprocessing.categorical_switch", " False ", False),
        ("preprocessing.categorical_switch", True, True),
        ("preprocessing.categories", "5", 5),
        ("preprocessing.categories", " 5 ", 5),
        ("preprocessing.categories", 5, 5),
        ("preprocessing.categories", 5.0, 5),
        ("preprocessing.categories", "", None),
        ("preprocessing.categories", None, None),
        ("learning_rate_schedule.learning_rate", "1e-4", 0.0001),
        ("learning_rate_schedule.learning_rate", 1, 1.0),
        ("optimizer.epsilon", "None", None),
        ("optimizer.epsilon", "1e-7", 1e-7),
        ("loss_function.loss", " focal ", "focal"),
        ("loss_function.loss", "  ", None),
        ("paths.train_X", "", ""),
        ("paths.train_X", None, None),
        ("config_file.input_shape", "(512, 512, 1)", (512, 512, 1)),
        ("config_file.input_shape", " 512, 512, 1 ", (512, 512, 1)),
        ("config_file.input_shape", "[512, 512, 1]", (512, 512, 1)),
        ("config_file.input_shape", [512, 512.0, 1], (512, 512, 1)),
        ("bbd_options.scales", "0.1, 0.9", (0.1, 0.9)),
        ("preprocessing.minimum_image_intensity", "-1000", (-1000.0,)),
        ("preprocessing.minimum_image_intensity", 0, (0.0,)),
        ("augmentation.brightness_range", "None", None),
        ("bbd_options.aspect_ratios", "(0.5, 1.0)", ((0.5, 1.0),)),
        ("bbd_options.aspect_ratios", "((0.5, 1.0), (2.0,))", ((0.5, 1.0), (2.0,))),
        ("bbd_options.aspect_ratios", [[0.5], [1]], ((0.5,), (1.0,))),
        ("bbd_options.steps", "(8, 16, 32)", ((8.0,), (16.0,), (32.0,))),
        ("bbd_options.steps", "(8, (16, 8))", ((8.0,), (16.0, 8.0))),
        ("bbd_options.steps", "None", None),
    ],
)
def test_value_is_read(path: str, given: object, value: Any) -> None:
    read = read_value(_setting(path), given)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("preprocessing.categorical_switch", "true"),
        ("preprocessing.categorical_switch", "1"),
        ("preprocessing.categorical_switch", 1),
        ("preprocessing.categories", "5.0"),
        ("preprocessing.categories", 5.5),
        ("preprocessing.categories", True),
        ("preprocessing.categories", "9" * 5000),
        ("preprocessing.categories", 10**400),
        ("preprocessing.categories", float("inf")),
        ("preprocessing.categories", "None"),
        ("preprocessing.categories", [2]),
        ("learning_rate_schedule.learning_rate", "nan"),
        ("learning_rate_schedule.learning_rate", "inf"),
        ("learning_rate_schedule.learning_rate", float("nan")),
        ("learning_rate_schedule.learning_rate", 10**400),
        ("learning_rate_schedule.learning_rate", False),
        ("optimizer.epsilon", "none"),
        ("loss_function.loss", 3),
        ("paths.train_X", "\ud800"),
        ("paths.train_X", ["X.h5"]),
        ("config_file.input_shape", "(512, 512"),
        ("config_file.input_shape", "(512, True, 1)"),
        ("config_file.input_shape", "512 512 1"),
        ("config_file.input_shape", "__import__('os').getcwd()"),
        ("config_file.input_shape", "{1: 2}"),
        ("config_file.input_shape", "[" * 5000 + "]" * 5000),
        ("config_file.input_shape", "-" * 9000 + "1"),
        ("config_file.input_shape", "1," * 20000),
        ("config_file.input_shape", [1] * 20000),
        ("config_file.input_shape", [[1, 2]]),
        ("bbd_options.steps", "(8, (16, (3, 4)))"),
        ("bbd_options.steps", {"a": 1}),
    ],
)
def test_value_of_another_kind_is_refused_with_what_came(path: str, given: object) -> None:
    with pytest.raises(UnreadableValue, match=r"^expected .*, got .*") as caught:
        read_value(_setting(path), given)
    assert len(str(caught.value)) < 200
