"""Every key of the configuration acts.

A row says how that is seen: two values of a key that make a difference to something, or that change
nothing but the speed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dlae_core.config.schema import sections as schema_sections
from dlae_core.config.schema import settings
from tests.contracts import effects
from tests.contracts.detecting import detected
from tests.contracts.effects import (
    batches,
    check,
    graph,
    kept,
    learned,
    log_bytes,
    loss,
    monitored,
    output,
    predicted,
    rates,
    report,
    run,
    summaries,
    trained,
    updates,
    written,
)
from tests.contracts.predicting import judged, predicting
from tests.dlae_core.families.configurations import IMAGE, JUDGE, PER_PIXEL, TRANSLATION
from tests.sessions import FCN_3D_LAYERS

pytestmark = pytest.mark.keras


@dataclass(frozen=True)
class Acts:
    """Two values that make a difference to something, in a kind of model and beside other keys."""

    effect: Callable[[str, Path], Any]
    values: tuple[Any, Any]
    beside: dict[str, Any] = field(default_factory=dict)
    base: str = "FCN"


@dataclass(frozen=True)
class Hastens:
    """Two values that change how fast training is, and nothing else."""

    values: tuple[Any, Any]


MODEL, SESSION = "config_file.model_signal", "config_file.type_signal"
PER_HOOK = "per predictor layer"
AUGMENTING = {"augmentation.apply_augmentation_switch": True}
UNSCALED = {"preprocessing.normalization_type": "none"}
PLATEAU = {"learning_rate_schedule.decay_on_plateau_switch": True}
STEPS = {"learning_rate_schedule.step_decay_switch": True}
# The loss rises from epoch to epoch.
RISING = {
    "optimizer.optimizer": "SGD",
    "learning_rate_schedule.learning_rate": 30.0,
}
STALLED = {
    "training_configurations.epochs": 4,
    "training_configurations.early_stop_switch": True,
    "learning_rate_schedule.learning_rate": 1e-30,
}
TENSORBOARD = {"save_configurations.save_tensorboard_switch": True}
CHECKPOINTS = {
    "training_configurations.epochs": 3,
    "save_configurations.save_checkpoints_switch": True,
}
VOLUMES = {
    "paths.train_X": "volumes/X.h5",
    "paths.train_y": "volumes/masks.h5",
    "preprocessing.image_context": "3D",
    "preprocessing.normalization_type": "none",
    "augmentation.apply_augmentation_switch": True,
    "augmentation.rotation_range": 30,
    "layers.serial_layer_list": FCN_3D_LAYERS,
}
FILES = {"training_configurations.validation_split": 0.0}
INFERENCE = {SESSION: "Inference", "paths.load_model": "model.h5", "paths.test_X": "X.h5"}


def _moved(key: str, *values: Any, **beside: Any) -> Acts:
    """Returns the row of a setting of augmentation."""
    others = {f"augmentation.{name}": value for name, value in beside.items()}
    return Acts(batches, (values[0], values[1]), AUGMENTING | UNSCALED | others)


def _updates(*values: Any, optimizer: str = "Adam") -> Acts:
    return Acts(updates, (values[0], values[1]), {"optimizer.optimizer": optimizer})


def _detects(*values: Any, **beside: Any) -> Acts:
    """Returns the row of an option of detectors that acts on their network."""
    others = {f"bbd_options.{name}": value for name, value in beside.items()}
    return Acts(output, (values[0], values[1]), others, "BBD")


def _varies(*values: Any, **beside: Any) -> Acts:
    """Returns the row of a setting of the random chain of detectors, whose boxes are small."""
    others = {f"augmentation.bbd_{key}": value for key, value in beside.items()}
    small = {"augmentation.bbd_minimum_area": 4}
    return Acts(batches, (values[0], values[1]), AUGMENTING | small | others, "BBD")


def _finds(*values: Any, **beside: Any) -> Acts:
    """Returns the row of an option of detectors that acts on the boxes made of their output."""
    others = {f"bbd_options.{name}": value for name, value in beside.items()}
    return Acts(detected, (values[0], values[1]), others, "BBD")


UNPAIRED = {"loss_function.loss": "cyclegan"}
# The layers at both ends never have 8 bits.
DEEPER = {
    "training_configurations.unpaired_switch": True,
    "layers.generator_layer_list": [*TRANSLATION[:-2], *TRANSLATION[1:]],
}
OTHER_ADAM = ("Adam:0.5", "Adam:0.9")
# Steps enough for what acts from the second on.
SMALL_BATCHES = {"training_configurations.batch_size": 2}

ROWS: dict[str, Acts | Hastens] = {
    "config_file.model_signal": Acts(check, ("FCN", "GAN")),
    "config_file.type_signal": Acts(
        check, ("Train", "Inference"), {"paths.load_model": "", "paths.test_X": ""}
    ),
    "config_file.input_shape": Acts(check, ([8, 8, 1], [9, 9, 1])),
    "config_file.prebuilt": Acts(
        graph, ("lenet5", "unet2d"), {"layers.serial_layer_list": [], MODEL: ""}
    ),
    # Remembered: nothing is read from it.
    "paths.load_config": Acts(written, ("", "old.json")),
    # Files that are not there are named.
    "paths.load_checkpoint": Acts(trained, ("a.h5", "b.h5"), {SESSION: "Train from Checkpoint"}),
    "paths.load_model": Acts(predicted, ("model.h5", "weights.h5"), INFERENCE),
    "paths.train_X": Acts(batches, ("X.h5", "other/X.h5")),
    "paths.train_y": Acts(batches, ("masks.h5", "classes.h5")),
    "paths.validation_X": Acts(
        batches, ("other/X.h5", "X.h5"), {"paths.validation_y": "other/masks.h5", **FILES}
    ),
    "paths.validation_y": Acts(
        batches,
        ("other/masks.h5", "other/classes.h5"),
        {"paths.validation_X": "other/X.h5", **FILES},
    ),
    "paths.test_X": Acts(predicted, ("X.h5", "other/X.h5"), INFERENCE),
    "paths.split_groups": Acts(batches, ("", "groups.csv")),
    "preprocessing.minimum_image_intensity": Acts(
        batches, (0.0, 10.0), {"preprocessing.normalization_type": "global_unity_x"}
    ),
    "preprocessing.maximum_image_intensity": Acts(
        batches, (100.0, 200.0), {"preprocessing.normalization_type": "global_unity_x"}
    ),
    "preprocessing.image_context": Acts(check, ("2D", "3D")),
    "preprocessing.normalization_type": Acts(batches, ("none", "samplewise_unity_x")),
    "preprocessing.categorical_switch": Acts(check, (True, False)),
    "preprocessing.categories": Acts(check, (2, 3)),
    "preprocessing.weight_loss_switch": Acts(batches, (False, True)),
    "preprocessing.repeat_X_switch": Acts(report, (False, True)),
    "preprocessing.repeat_X_quantity": Acts(
        report,
        (1, 2),
        {
            "preprocessing.repeat_X_switch": True,
            "layers.serial_layer_list": ["Input:(8, 8, 2)", *PER_PIXEL[1:]],
        },
    ),
    "preprocessing.annotation_type": Acts(
        check,
        ("values", "coordinates"),
        {
            "loss_function.loss": "mean_squared_error",
            "preprocessing.categorical_switch": False,
            "layers.serial_layer_list": [IMAGE, "Flatten", "Dense:1"],
        },
        "CNN",
    ),
    "augmentation.apply_augmentation_switch": _moved(
        "apply_augmentation_switch", False, True, horizontal_flip_switch=True
    ),
    "augmentation.featurewise_centering_switch": Acts(batches, (False, True), UNSCALED),
    "augmentation.samplewise_centering_switch": Acts(batches, (False, True), UNSCALED),
    "augmentation.featurewise_normalization_switch": Acts(batches, (False, True), UNSCALED),
    "augmentation.samplewise_normalization_switch": Acts(batches, (False, True), UNSCALED),
    "augmentation.width_shift": _moved("width_shift", 0.0, 0.3),
    "augmentation.height_shift": _moved("height_shift", 0.0, 0.3),
    "augmentation.rotation_range": _moved("rotation_range", 0, 20),
    "augmentation.brightness_range": _moved("brightness_range", None, [0.5, 2.0]),
    "augmentation.shear_range": _moved("shear_range", 0.0, 20.0),
    "augmentation.zoom_range": _moved("zoom_range", 0.0, 0.5),
    "augmentation.channel_shift_range": _moved("channel_shift_range", 0.0, 5.0),
    "augmentation.fill_mode": _moved("fill_mode", "nearest", "wrap", width_shift=3),
    "augmentation.cval": _moved("cval", 0.0, 9.0, width_shift=3, fill_mode="constant"),
    "augmentation.horizontal_flip_switch": _moved("horizontal_flip_switch", False, True),
    "augmentation.vertical_flip_switch": _moved("vertical_flip_switch", False, True),
    "augmentation.rounds": Acts(batches, (1, 2)),
    "augmentation.zca_epsilon": Acts(batches, (None, 0.1), AUGMENTING | UNSCALED),
    "augmentation.random_seed": Acts(batches, (1, 2)),
    "augmentation.interpolation": _moved("interpolation", "linear", "nearest", rotation_range=20),
    "augmentation.rotation_axes": Acts(batches, ("in-plane", "all"), VOLUMES),
    "augmentation.voxel_size": Acts(
        batches, ([1, 1, 1], [1, 1, 3]), VOLUMES | {"augmentation.rotation_axes": "all"}
    ),
    "augmentation.bbd_zoom_in_first_probability": _varies(0.0, 1.0),
    "augmentation.bbd_translation_probability": _varies(0.0, 1.0),
    "augmentation.bbd_translation_range": _varies([0.1, 0.2], [0.3, 0.4]),
    "augmentation.bbd_zoom_probability": _varies(0.0, 1.0),
    "augmentation.bbd_zoom_in_range": _varies([1.0, 1.5], [1.5, 2.0], zoom_probability=1.0),
    "augmentation.bbd_zoom_out_range": _varies([0.5, 0.7], [0.7, 0.9], zoom_probability=1.0),
    "augmentation.bbd_flip_probability": _varies(0.0, 1.0),
    "augmentation.bbd_minimum_overlap": _varies(
        0.1, 1.0, translation_probability=1.0, translation_range=[0.3, 0.9]
    ),
    "augmentation.bbd_minimum_area": _varies(4, 1000, translation_probability=1.0),
    "augmentation.bbd_trials": _varies(
        1, 9, translation_probability=1.0, translation_range=[0.3, 0.9], minimum_overlap=0.9
    ),
    "loss_function.loss": Acts(loss, ("categorical_crossentropy", "focal")),
    "loss_function.parameter1": Acts(loss, (0.3, 0.7), {"loss_function.loss": "tversky"}),
    "loss_function.parameter2": Acts(loss, (0.3, 0.7), {"loss_function.loss": "tversky"}),
    "loss_function.additional_losses": Acts(loss, ([], ["mean_absolute_error:2.0"])),
    "learning_rate_schedule.learning_rate": Acts(rates, (0.1, 0.2)),
    "learning_rate_schedule.learning_rate_decay_factor": Acts(rates, (0.0, 0.1)),
    "learning_rate_schedule.decay_on_plateau_switch": Acts(rates, (False, True)),
    "learning_rate_schedule.decay_on_plateau_factor": Acts(rates, (0.2, 0.5), PLATEAU),
    "learning_rate_schedule.decay_on_plateau_patience": Acts(rates, (2, 3), PLATEAU),
    "learning_rate_schedule.step_decay_switch": Acts(rates, (False, True)),
    "learning_rate_schedule.step_decay_factor": Acts(rates, (0.1, 0.5), STEPS),
    "learning_rate_schedule.step_decay_period": Acts(rates, (2, 3), STEPS),
    "learning_rate_schedule.warm_up_length": Acts(rates, (0, 2)),
    "learning_rate_schedule.warm_up_unit": Acts(
        rates, ("epochs", "updates"), {"learning_rate_schedule.warm_up_length": 2}
    ),
    "learning_rate_schedule.cosine_decay_switch": Acts(rates, (False, True)),
    "learning_rate_schedule.cosine_decay_floor": Acts(
        rates, (0.0, 0.5), {"learning_rate_schedule.cosine_decay_switch": True}
    ),
    "learning_rate_schedule.discriminator_learning_rate": Acts(
        learned, ("0.1:0.1", "0.2:0.1"), base="GAN"
    ),
    "learning_rate_schedule.gan_learning_rate": Acts(learned, ("0.1:0.1", "0.2:0.1"), base="GAN"),
    "optimizer.optimizer": Acts(updates, ("Adam", "SGD")),
    "optimizer.beta1": _updates(0.9, 0.5),
    "optimizer.beta2": _updates(0.999, 0.5),
    "optimizer.rho": _updates(0.9, 0.5, optimizer="RMSprop"),
    "optimizer.momentum": _updates(0.0, 0.5, optimizer="SGD"),
    "optimizer.epsilon": _updates(None, 0.1),
    "optimizer.gradient_clip_norm": _updates(None, 0.2, optimizer="SGD"),
    "optimizer.gradient_clip_value": _updates(None, 0.2, optimizer="SGD"),
    "optimizer.weight_decay": _updates(0.0, 0.5),
    "optimizer.discriminator_optimizer": Acts(learned, OTHER_ADAM, base="GAN"),
    "optimizer.gan_optimizer": Acts(learned, OTHER_ADAM, SMALL_BATCHES, base="GAN"),
    "training_configurations.hardware": Acts(run, ("cpu", "gpu")),
    # Where there are none, 1 is the processor.
    "training_configurations.number_of_gpus": Acts(
        trained, (1, 1000), {"training_configurations.hardware": "multi-gpu"}
    ),
    "training_configurations.early_stop_switch": Acts(
        run, (False, True), STALLED | {"training_configurations.early_stop_patience": 1}
    ),
    "training_configurations.early_stop_patience": Acts(run, (1, 2), STALLED),
    "training_configurations.batch_size": Acts(batches, (2, 3)),
    "training_configurations.epochs": Acts(run, (1, 2)),
    "training_configurations.shuffle_data_switch": Acts(batches, (True, False)),
    "training_configurations.validation_split": Acts(batches, (0.25, 0.5)),
    "training_configurations.folds": Acts(batches, (2, 4), FILES),
    "training_configurations.fold": Acts(
        batches, (0, 1), FILES | {"training_configurations.folds": 2}
    ),
    # No sample has the attribute.
    "training_configurations.split_group": Acts(batches, ("", "patient")),
    "training_configurations.data_threads": Hastens((0, 2)),
    "training_configurations.data_memory": Hastens((0, 64)),
    "training_configurations.frozen_layers": Acts(summaries, ("", "1")),
    "training_configurations.match_weights_by": Acts(
        trained,
        ("order", "name"),
        {SESSION: "Train from Checkpoint", "paths.load_checkpoint": "weights.h5"},
    ),
    # Shown in tests/dlae_core/test_steps.py, as it holds for the rest of a process.
    "training_configurations.deterministic_switch": Acts(written, (False, True)),
    "training_configurations.precision": Acts(trained, ("float32", "mixed_bfloat16")),
    "training_configurations.jit_compile_switch": Hastens((False, True)),
    "training_configurations.image_pool": Acts(learned, (0, 2), SMALL_BATCHES, base="GAN"),
    "training_configurations.unpaired_switch": Acts(learned, (False, True), UNPAIRED, base="GAN"),
    "training_configurations.steps_per_call": Hastens((1, 4)),
    "training_configurations.recovery_period": Hastens((0, 1)),
    "training_configurations.restore_best_switch": Acts(
        trained, (False, True), {"training_configurations.epochs": 3, **RISING}
    ),
    **{
        f"monitors.{name}_switch": Acts(monitored, (False, True))
        for name in (
            *("mse", "mae", "accuracy", "dice", "iou", "auc"),
            *("sensitivity", "specificity"),
        )
    },
    "monitors.average_precision_switch": Acts(trained, (False, True), base="BBD"),
    "monitors.psnr_switch": Acts(learned, (False, True), base="GAN"),
    "monitors.ssim_switch": Acts(learned, (False, True), base="GAN"),
    "monitors.coordinate_error_switch": Acts(
        monitored,
        (False, True),
        {
            "loss_function.loss": "mean_squared_error",
            "preprocessing.categorical_switch": False,
            "preprocessing.annotation_type": "coordinates",
            "layers.serial_layer_list": [IMAGE, "Flatten", "Dense:2"],
        },
        "CNN",
    ),
    # The client writes these files: tests/dlae_client/test_cli.py.
    "save_configurations.save_model_switch": Acts(check, (False, True)),
    "save_configurations.save_model_path": Acts(
        check, ("", "m.keras"), {"save_configurations.save_model_switch": True}
    ),
    "save_configurations.save_csv_switch": Acts(check, (False, True)),
    "save_configurations.save_csv_path": Acts(
        check, ("", "h.csv"), {"save_configurations.save_csv_switch": True}
    ),
    "save_configurations.save_tensorboard_switch": Acts(
        kept, (False, True), {"save_configurations.save_tensorboard_path": "logs"}
    ),
    # The client writes there, as it does with models.
    "save_configurations.save_tensorboard_path": Acts(check, ("", "logs"), TENSORBOARD),
    "save_configurations.save_tensorboard_frequency": Acts(
        log_bytes, (0, 1), TENSORBOARD | {"save_configurations.save_tensorboard_path": "logs"}
    ),
    "save_configurations.example_images": Acts(kept, (0, 1)),
    "save_configurations.legacy_predictions_switch": Acts(predicted, (False, True), INFERENCE),
    "save_configurations.bfloat16_switch": Acts(judged, (False, True)),
    "save_configurations.int8_switch": Acts(judged, (False, True)),
    "save_configurations.precision_tolerance": Acts(
        judged, (0.0, 0.99), UNPAIRED | DEEPER | {"save_configurations.int8_switch": True}, "GAN"
    ),
    "save_configurations.save_checkpoints_switch": Acts(
        kept, (False, True), {"save_configurations.save_checkpoints_path": "c.keras"}
    ),
    "save_configurations.save_checkpoints_path": Acts(
        kept, ("c.keras", "c{epoch}.keras"), CHECKPOINTS
    ),
    "save_configurations.save_checkpoints_frequency": Acts(
        kept, (1, 2), CHECKPOINTS | {"save_configurations.save_checkpoints_path": "{epoch}"}
    ),
    "bbd_options.scaling_type": _detects("global", PER_HOOK, scales=[0.1, 0.5, 0.9]),
    "bbd_options.scales": _detects([0.1, 0.9], [0.2, 0.9]),
    "bbd_options.aspect_ratios_type": Acts(
        check, ("global", PER_HOOK), {"bbd_options.aspect_ratios": [1.0]}, "BBD"
    ),
    "bbd_options.aspect_ratios": _detects([1.0, 2.0], [1.0, 3.0]),
    "bbd_options.number_classes": _detects(1, 2),
    "bbd_options.steps": _detects(None, [2, 3]),
    "bbd_options.offsets": _detects(None, [0.25, 0.25]),
    "bbd_options.variances": _detects([0.1, 0.1, 0.2, 0.2], [0.2, 0.2, 0.2, 0.2]),
    "bbd_options.confidence_threshold": _finds(0.1, 0.6),
    "bbd_options.iou_threshold": _finds(0.5, 0.2),
    "bbd_options.top_k": _finds(5, 10),
    "bbd_options.nms_maximum_output": _finds(5, 10),
    "bbd_options.coordinates_type": _detects("centroids", "minmax"),
    "bbd_options.two_boxes_for_AR1_switch": _detects(False, True),
    "bbd_options.clip_boxes_switch": _detects(False, True),
    "bbd_options.normalize_coordinates_switch": _detects(False, True),
    "bbd_options.positive_iou_threshold": Acts(batches, (0.5, 0.3), base="BBD"),
    "bbd_options.negative_iou_limit": Acts(batches, (0.3, 0.1), base="BBD"),
    "layers.serial_layer_list": Acts(graph, (PER_PIXEL, [*PER_PIXEL, "Dropout:0.5"])),
    "layers.generator_layer_list": Acts(
        graph, ([IMAGE, "Convolution 2D:1"], [IMAGE, "Convolution 2D:1:5"]), base="GAN"
    ),
    "layers.discriminator_layer_list": Acts(graph, (JUDGE, [*JUDGE, "Dropout:0.5"]), base="GAN"),
    # What each does is shown in tests/dlae_core/prediction/.
    "prediction.labels_switch": Acts(predicting, (False, True)),
    "prediction.threshold": Acts(predicting, (None, 0.5)),
    "prediction.largest_component_switch": Acts(predicting, (False, True)),
    "prediction.fill_holes_switch": Acts(predicting, (False, True)),
    "prediction.tile_overlap": Acts(predicting, (0.5, 0.25)),
    "prediction.tile_blend": Acts(predicting, ("gaussian", "average")),
    "prediction.flips": Acts(predicting, (None, [0])),
    "prediction.images_at_once": Acts(predicting, (None, 1)),
    "prediction.resize_switch": Acts(predicting, (False, True)),
    "prediction.annotation_units_switch": Acts(predicting, (True, False)),
    "prediction.precision": Acts(predicting, ("float32", "int8")),
}


def _keys() -> list[str]:
    return [
        f"{section.key}.{key}"
        for section in schema_sections().values()
        if section.message is not None
        for key in settings(section.message)
    ]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def test_every_key_of_the_schema_has_a_row() -> None:
    assert set(ROWS) == set(_keys())


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if isinstance(row, Acts)])
def test_key_acts(key: str, root: Path, tmp_path: Path) -> None:
    row = ROWS[key]
    assert isinstance(row, Acts)
    first, second = (
        row.effect(_text(root, row, {**row.beside, key: value}), tmp_path / str(number))
        for number, value in enumerate(row.values)
    )
    assert first != second
    # What cannot be read makes no difference of its own.
    assert row.effect is not batches or first[0]


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if isinstance(row, Hastens)])
def test_key_changes_nothing_but_speed(key: str, root: Path, tmp_path: Path) -> None:
    row = ROWS[key]
    assert isinstance(row, Hastens)
    base = Acts(batches, row.values)
    first, second = (batches(_text(root, base, {key: value}), tmp_path) for value in row.values)
    assert first == second


def _text(root: Path, row: Acts, changes: dict[str, Any]) -> str:
    return json.dumps(effects.sections(root, row.base, changes))
