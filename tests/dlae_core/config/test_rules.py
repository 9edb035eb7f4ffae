"""Rules across settings, each broken on its own."""

from typing import Any

import pytest

from tests.dlae_core.config.examples import LAYERS, violations, warnings

LIST = "layers.serial_layer_list"
SWITCH = "preprocessing.categorical_switch"
VOLUME = ["Input:(8, 8, 4, 1)", "Convolution 3D:3", "Activation:softmax"]
VECTOR = ["Input:(8, 8, 1)", "Flatten", "Dense:3", "Activation:softmax"]
REGRESSION = {
    "loss_function__loss": "mean_squared_error",
    "preprocessing__categorical_switch": False,
}


def _layers(*texts: str) -> dict[str, Any]:
    return {"layers__serial_layer_list": list(texts)}


def _normalized(kind: str, low: object, high: object) -> dict[str, Any]:
    return {
        "preprocessing__normalization_type": kind,
        "preprocessing__minimum_image_intensity": low,
        "preprocessing__maximum_image_intensity": high,
    }


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"paths__train_y": ""}, "paths.train_y", "MISSING"),
        (
            {"paths__validation_X": "v.h5", "training_configurations__validation_split": 0},
            "paths.validation_y",
            "MISSING",
        ),
        (
            {"paths__validation_y": "v.h5", "training_configurations__validation_split": 0},
            "paths.validation_X",
            "MISSING",
        ),
        (
            {"paths__validation_X": "v.h5", "paths__validation_y": "w.h5"},
            "training_configurations.validation_split",
            "CONTRADICTION",
        ),
        ({"preprocessing__categorical_switch": False}, SWITCH, "LOSS_MISMATCH"),
        ({"loss_function__loss": "sparse_categorical_crossentropy"}, SWITCH, "LOSS_MISMATCH"),
        ({"loss_function__loss": "mean_absolute_error"}, SWITCH, "LOSS_MISMATCH"),
        ({"loss_function__loss": "pix2pix"}, "loss_function.loss", "LOSS_MISMATCH"),
        ({"loss_function__loss": "ssd"}, "loss_function.loss", "LOSS_MISMATCH"),
        (
            {
                "loss_function__loss": "tversky",
                "config_file__model_signal": "CNN",
                "layers__serial_layer_list": VECTOR,
            },
            "loss_function.loss",
            "LOSS_MISMATCH",
        ),
        (
            {"preprocessing__normalization_type": "samplewise_unity_xy"},
            "preprocessing.normalization_type",
            "CONTRADICTION",
        ),
        (
            _normalized("global_unity_x", 10, 10),
            "preprocessing.maximum_image_intensity",
            "CONTRADICTION",
        ),
        (
            {**REGRESSION, **_normalized("global_unity_xy", [0, 0], 10)},
            "preprocessing.maximum_image_intensity",
            "WRONG_LENGTH",
        ),
        (
            {**REGRESSION, **_normalized("global_unity_xy", [0, 5], [10, 4])},
            "preprocessing.maximum_image_intensity",
            "CONTRADICTION",
        ),
        (
            {"save_configurations__save_csv_switch": True},
            "save_configurations.save_csv_path",
            "MISSING",
        ),
        (_layers(), LIST, "MISSING"),
        (_layers("Flatten", "Dense:3"), f"{LIST}[0]", "INPUT_NOT_FIRST"),
        (_layers(*VECTOR[:2], "Input:(8, 8, 1)", "Dense:3"), f"{LIST}[2]", "INPUT_NOT_FIRST"),
        ({"config_file__input_shape": [8, 8, 2]}, "config_file.input_shape", "SHAPE_MISMATCH"),
        ({"preprocessing__image_context": "3D"}, "preprocessing.image_context", "RANK_MISMATCH"),
        (_layers(*VOLUME), "preprocessing.image_context", "RANK_MISMATCH"),
        (_layers("Input:(8, 8, 1)", "Upsample 3D", "Dense:3"), f"{LIST}[1]", "RANK_MISMATCH"),
        (_layers(*VECTOR[:3], "Convolution 2D:3"), f"{LIST}[3]", "RANK_MISMATCH"),
        (
            _layers("Input:(8, 8, 1)", "Outer skip target", "Convolution 2D:3"),
            f"{LIST}[1]",
            "SKIP_WITHOUT_SOURCE",
        ),
        (_layers(*LAYERS, "Outer skip target"), f"{LIST}[9]", "SKIP_WITHOUT_SOURCE"),
        (
            _layers("Input:(8, 8, 1)", "Convolution 2D:3:3:(1, 2):same:(2, 1)"),
            f"{LIST}[1].dilation",
            "CONTRADICTION",
        ),
        (
            {
                **_layers("Input:(8, 8, 4, 1)", "Transpose convolution 3D:3:3:1:same:2"),
                "preprocessing__image_context": "3D",
            },
            f"{LIST}[1].dilation",
            "CONTRADICTION",
        ),
        ({"preprocessing__categories": 4}, f"{LIST}[7].filters", "CLASS_COUNT_MISMATCH"),
        (
            {
                **_layers("Input:(8, 8, 1)", "Flatten", "Dense:1", "Dropout", "Activation"),
                "loss_function__loss": "sparse_categorical_crossentropy",
                "preprocessing__categorical_switch": False,
                "config_file__model_signal": "CNN",
            },
            f"{LIST}[2].units",
            "CLASS_COUNT_MISMATCH",
        ),
    ],
)
def test_broken_rule_is_one_violation(changes: dict[str, Any], path: str, reason: str) -> None:
    assert violations(**changes) == [(path, reason)]


@pytest.mark.parametrize(
    ("model", "loss", "found"),
    [
        ("GAN", "pix2pix", []),
        ("GAN", "cyclegan", []),
        ("GAN", "focal", [("loss_function.loss", "LOSS_MISMATCH")]),
        ("BBD", "ssd", []),
        ("BBD", "pix2pix", [("loss_function.loss", "LOSS_MISMATCH")]),
    ],
)
def test_kinds_of_model_have_their_own_losses(
    model: str, loss: str, found: list[tuple[str, str]]
) -> None:
    changes = {
        "config_file__model_signal": model,
        "loss_function__loss": loss,
        "layers__serial_layer_list": [*LAYERS, "Hook connection source"],
        "layers__generator_layer_list": VECTOR,
        "layers__discriminator_layer_list": VECTOR,
    }
    assert violations(**changes) == found


def test_reshape_changes_the_rank_that_layers_meet() -> None:
    assert violations(**_layers(*VECTOR[:2], "Reshape:(8, 8, 1)", "Convolution 2D:3")) == []


def test_number_of_outputs_behind_a_merge_is_left_to_the_graph() -> None:
    layers = ["Input:(8, 8, 1)", "Outer skip source", "Convolution 2D:2", "Outer skip target"]
    assert violations(**_layers(*layers)) == []


def test_sparse_loss_may_have_other_categories_than_outputs() -> None:
    changes = {
        "loss_function__loss": "sparse_categorical_crossentropy",
        "preprocessing__categorical_switch": False,
        "preprocessing__categories": 2,
    }
    assert violations(**changes) == []


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        (
            {
                "training_configurations__validation_split": 0,
                "training_configurations__early_stop_switch": True,
            },
            "training_configurations.early_stop_switch",
            "NO_EFFECT",
        ),
        (
            {
                "training_configurations__validation_split": 0,
                "learning_rate_schedule__decay_on_plateau_switch": True,
            },
            "learning_rate_schedule.decay_on_plateau_switch",
            "NO_EFFECT",
        ),
        ({"paths__test_X": "t.h5"}, "paths.test_X", "NOT_USED"),
        ({"paths__load_checkpoint": "t.h5"}, "paths.load_checkpoint", "NOT_USED"),
        ({"paths__load_model": "t.h5"}, "paths.load_model", "NOT_USED"),
        (
            {"loss_function__loss": "jaccard", "loss_function__parameter1": "0.0"},
            "loss_function.parameter1",
            "DEGENERATE_LOSS",
        ),
        (
            {"loss_function__loss": "focal", "loss_function__parameter1": 0},
            "loss_function.parameter1",
            "DEGENERATE_LOSS",
        ),
        (
            {
                "loss_function__loss": "tversky",
                "loss_function__parameter1": 0,
                "loss_function__parameter2": 0,
            },
            "loss_function.parameter1",
            "DEGENERATE_LOSS",
        ),
        (
            {"augmentation__samplewise_centering_switch": True},
            "augmentation.samplewise_centering_switch",
            "NO_EFFECT",
        ),
        (
            {
                "config_file__input_shape": [8, 8, 4],
                "preprocessing__image_context": "3D",
                **_layers(*VOLUME),
            },
            "config_file.input_shape",
            "SHAPE_MISMATCH",
        ),
        (
            {
                "config_file__model_signal": "CNN",
                **_layers(
                    "Input:(8, 8, 4, 1)", "Global max pooling 3D", "Dense:3", "Activation:softmax"
                ),
            },
            "preprocessing.image_context",
            "RANK_MISMATCH",
        ),
    ],
)
def test_doubtful_choice_is_a_warning(changes: dict[str, Any], path: str, reason: str) -> None:
    assert violations(**changes) == []
    assert warnings(**changes) == [(path, reason)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loss_function__parameter1": "0.0", "loss_function__parameter2": "0.0"},
        {"loss_function__loss": "jaccard"},
        {"loss_function__loss": "tversky", "loss_function__parameter1": 0},
        {"training_configurations__early_stop_switch": True},
        {
            "training_configurations__early_stop_switch": True,
            "training_configurations__validation_split": 0,
            "paths__validation_X": "v.h5",
            "paths__validation_y": "w.h5",
        },
    ],
)
def test_usual_choice_is_no_warning(changes: dict[str, Any]) -> None:
    assert warnings(**changes) == []
