"""Trouble that can be known before the first step."""

import keras
import pytest

from dlae_core.training.demands import lagging_statistics

pytestmark = pytest.mark.keras


def _model(*momenta: float) -> keras.Model:
    image = tensor = keras.Input((4, 4, 1))
    for momentum in momenta:
        tensor = keras.layers.BatchNormalization(momentum=momentum)(tensor)
    return keras.Model(image, keras.layers.Conv2D(1, 1)(tensor))


def test_a_training_too_short_for_its_moving_averages_is_warned_of() -> None:
    # 0.99^688 is the first power below a thousandth.
    (warning,) = lagging_statistics(_model(0.9, 0.99), 687)
    assert warning.reason == "FEW_UPDATES"
    assert "about 688 updates" in warning.message
    assert list(lagging_statistics(_model(0.9, 0.99), 688)) == []
    assert list(lagging_statistics(_model(0.9), 70)) == []


def test_without_normalization_nothing_lags() -> None:
    assert list(lagging_statistics(_model(), 1)) == []
