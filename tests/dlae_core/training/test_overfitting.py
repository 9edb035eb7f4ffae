"""Networks learn eight samples by heart; detectors and GANs do in the tests that bear their names.

`test_detectors.py` has eight images of shapes, `test_adversarial.py` eight images to translate.
"""

from pathlib import Path
from typing import Any

import pytest

from dlae_core.config import load_config
from dlae_core.events import EpochFinished, Event
from dlae_core.training import train
from tests.sessions import CNN_LAYERS, config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

CLASSIFIER = [*CNN_LAYERS[:4], "Flatten", *CNN_LAYERS[5:]]
# Batch normalization makes what is learned depend on the rest of the batch.
REGRESSOR = [*CNN_LAYERS[:2], "Activation:relu", "Flatten", "Dense:1"]


def _last(text: str, workspace: Path) -> dict[str, float]:
    events: list[Event] = []
    train(load_config(text).config, workspace, events.append, lambda: False)
    return [dict(event.metrics) for event in events if isinstance(event, EpochFinished)][-1]


@pytest.mark.parametrize(
    ("family", "changes", "metric", "least", "most"),
    [
        ("CNN", {"layers__serial_layer_list": CLASSIFIER}, "accuracy", 1.0, 1.0),
        ("FCN", {}, "dice", 0.99, 1.0),
        (
            "CNN",
            {
                "paths__train_y": "centers.h5",
                "preprocessing__categorical_switch": False,
                "loss_function__loss": "mean_squared_error",
                "monitors__mae_switch": True,
                "learning_rate_schedule__cosine_decay_switch": True,
                "layers__serial_layer_list": REGRESSOR,
            },
            "mean_absolute_error",
            0.0,
            0.02,
        ),
    ],
    ids=["classification", "segmentation", "regression"],
)
def test_eight_samples_are_learned_by_heart(
    tmp_path: Path, family: str, changes: dict[str, Any], metric: str, least: float, most: float
) -> None:
    write_bright_images(tmp_path, count=8)
    if "paths__train_y" in changes:
        changes = {**changes, "paths__train_y": str(tmp_path / changes["paths__train_y"])}
    text = config_text(
        tmp_path,
        family,
        training_configurations__epochs=80,
        training_configurations__validation_split=0.0,
        **changes,
    )
    assert least <= _last(text, tmp_path / "work")[metric] <= most
