"""The numbers that networks calculate with."""

from pathlib import Path

import keras
import numpy as np
import pytest

from dlae_core.families.bbd import Bbd
from dlae_core.precision import MIXED, SINGLE, as_single, calculate_in, processor_has_bfloat16
from tests.dlae_core.families.configurations import detector

pytestmark = pytest.mark.keras


def _model() -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, padding="same")(image)
    x = keras.layers.Conv2D(2, 1)(keras.layers.BatchNormalization()(x))
    return keras.Model(image, keras.layers.Softmax()(x))


def test_layers_calculate_with_16_bits_all_but_the_last_and_weights_keep_32() -> None:
    model, batch = _model(), np.random.default_rng(1).random((2, 8, 8, 1), np.float32)
    exact = np.asarray(model(batch))
    calculate_in(model, MIXED)
    rounded = np.asarray(model(batch))
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(rounded.sum(-1), 1, atol=1e-6)
    assert 0 < np.abs(rounded - exact).max() < 2e-2
    assert {weight.dtype for weight in model.weights} == {"float32"}
    calculate_in(model, SINGLE)
    np.testing.assert_array_equal(model(batch), exact)


def test_anchors_and_probabilities_of_a_detector_are_not_rounded() -> None:
    (network,) = Bbd().networks(detector(number_classes=2, steps=[1.1, 2.3]))
    batch = np.random.default_rng(1).random((2, 8, 8, 1), np.float32)
    exact = np.asarray(network.model(batch))
    calculate_in(network.model, MIXED)
    rounded = np.asarray(network.model(batch))
    np.testing.assert_array_equal(rounded[..., -8:], exact[..., -8:])
    np.testing.assert_allclose(rounded[..., :3].sum(-1), 1, atol=1e-6)
    assert 0 < np.abs(rounded - exact).max() < 0.02 * np.abs(exact).max()


def test_a_network_is_saved_as_one_of_32_bits(tmp_path: Path) -> None:
    model = _model()
    calculate_in(model, MIXED)
    with as_single(model):
        model.save(tmp_path / "m.keras")
    saved = keras.models.load_model(tmp_path / "m.keras")
    assert {layer.dtype_policy.name for layer in saved.layers} == {SINGLE}
    assert model.layers[1].dtype_policy.name == MIXED


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ("processor: 0\nflags\t\t: fpu avx512_bf16 sse\n", True),
        ("processor: 0\nflags\t\t: fpu avx2 sse\n", False),
        ("Features: asimd\n", True),
        (None, True),
    ],
)
def test_a_processor_says_whether_it_has_16_bits(
    tmp_path: Path, facts: str | None, found: bool
) -> None:
    if facts is not None:
        (tmp_path / "cpuinfo").write_text(facts)
    assert processor_has_bfloat16(tmp_path / "cpuinfo") == found
