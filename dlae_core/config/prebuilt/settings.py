"""The settings that prebuilt networks come with, by section, where they are not the defaults.

Left out is what acts on nothing: DLAE 1.0's files also set the detection options of networks that
detect nothing, and zeros for losses without parameters.
"""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Mapping[str, Any]]

_THREE = (1.0, 2.0, 0.5)
_FIVE = (1.0, 2.0, 0.5, 3.0, 0.333)
_LEVEL_RATIOS = (_THREE, _FIVE, _FIVE, _THREE, _THREE)
_SSD_RATIOS = (_THREE, _FIVE, _FIVE, _FIVE, _FIVE, _THREE, _THREE)

# Of every prebuilt network.
_SHARED: Settings = {
    "augmentation": {
        "apply_augmentation_switch": True,
        "horizontal_flip_switch": True,
        "vertical_flip_switch": True,
    },
    "learning_rate_schedule": {"decay_on_plateau_switch": True},
    "training_configurations": {"early_stop_switch": True},
    "save_configurations": {"save_tensorboard_frequency": 5},
}
_CLASSIFICATION: Settings = {"loss_function": {"loss": "sparse_categorical_crossentropy"}}


def merged(*layers: Settings) -> dict[str, dict[str, Any]]:
    """Returns settings as native JSON values of their own; later ones win."""
    result: dict[str, dict[str, Any]] = {}
    for settings in layers:
        for section, values in settings.items():
            listed = {key: _listed(value) for key, value in values.items()}
            result.setdefault(section, {}).update(listed)
    return result


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _gan(loss: str) -> Settings:
    """Returns the settings of a GAN.

    Differs: DLAE 1.0 scales images to 0..1 and leaves annotations as they are (C25); the generator
    ends in tanh.
    """
    return {
        "preprocessing": {
            "minimum_image_intensity": (0.0, 0.0),
            "maximum_image_intensity": (4096.0, 4096.0),
            "normalization_type": "samplewise_negpos_xy",
        },
        "augmentation": {"apply_augmentation_switch": False},
        "loss_function": {"loss": loss, "parameter1": 100.0, "parameter2": 1.0},
        "learning_rate_schedule": {
            "learning_rate": 0.0002,
            "decay_on_plateau_switch": False,
            "discriminator_learning_rate": "0.0002:0.0",
            "gan_learning_rate": "0.0002:0.0",
        },
        "training_configurations": {"batch_size": 1},
        "monitors": {"accuracy_switch": False},
    }


def _detection(ratios: tuple[tuple[float, ...], ...]) -> Settings:
    return {
        "loss_function": {"loss": "ssd", "parameter1": 3.0, "parameter2": 1.0},
        "learning_rate_schedule": {"learning_rate": 0.001},
        "monitors": {"accuracy_switch": False},
        "bbd_options": {
            "aspect_ratios_type": "per predictor layer",
            "aspect_ratios": ratios,
            "confidence_threshold": 0.01,
            "iou_threshold": 0.45,
            "normalize_coordinates_switch": True,
        },
    }


CNN = merged(_SHARED, _CLASSIFICATION)
CNN_8BIT = merged(CNN, {"preprocessing": {"maximum_image_intensity": 255.0}})
FCN = merged(_SHARED, _CLASSIFICATION)
FCN_3D = merged(FCN, {"preprocessing": {"image_context": "3D"}})
PIX2PIX = merged(_SHARED, _gan("pix2pix"))
CYCLEGAN = merged(_SHARED, _gan("cyclegan"))
SSD = merged(_SHARED, _detection(_SSD_RATIOS))
BACKBONE_SSD = merged(_SHARED, _detection(_LEVEL_RATIOS))
# Strides of the hooks as the paper counts them; the anchors fit 512 x 512 only.
SSD_STEPS: Settings = {"bbd_options": {"steps": (8, 16, 32, 64, 128, 256, 512)}}
