"""Steps: the same in one call or several, compiled or not, and the same bytes every time."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.steps import MODEL, Steps, SupervisedSteps
from tests.sessions import config_text

pytestmark = [pytest.mark.keras, pytest.mark.slow]

# A bit of everything that could depend on the order of additions.
LAYERS = [
    "Input:(16, 16, 1)",
    "Convolution 2D:8:(3, 3):1:same:2:he_normal:l2",
    "Batch normalization",
    "Activation:relu",
    "Dropout:0.2",
    "Outer skip source",
    "Separable convolution 2D:8:(3, 3)",
    "Gaussian noise:0.1",
    "Max pooling 2D:(2, 2)",
    "Depthwise separable convolution 2D:8:(3, 3)",
    "PReLU",
    "Transpose convolution 2D:8:(2, 2):(2, 2)",
    "Outer skip target:concatenate",
    "Average pooling 2D:(2, 2)",
    "Upsample 2D:(2, 2)",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]
# Without normalization, which leaves nothing but rounding to the biases before it.
SMALL = [*LAYERS[:2], "Activation:relu", *LAYERS[-2:]]
BATCH, STEPS = 4, 4


def _steps(layers: list[str], jit_compile: bool = False) -> Steps:
    import keras

    from dlae_core.config import load_config
    from dlae_core.losses import loss_row
    from dlae_core.optimization import build_optimizer
    from dlae_core.training.measuring import monitors_of
    from dlae_core.validation import checked_networks

    text = config_text(Path("nowhere"), layers__serial_layer_list=layers)
    config = load_config(text).config
    keras.utils.set_random_seed(1)
    network = checked_networks(config)[0]
    return SupervisedSteps(
        network.model,
        build_optimizer(config.optimizer, 0.01),
        loss_row(config).build(config.loss_function, None),
        monitors_of(config, network),
        jit_compile,
    )


def _batches() -> tuple[np.ndarray, np.ndarray]:
    images = np.random.default_rng(1).random((STEPS, BATCH, 16, 16, 1), np.float32)
    return images, np.eye(2, dtype=np.float32)[(images[..., 0] > 0.5).astype(int)]


def _one_by_one(steps: Steps) -> np.ndarray:
    rates = [0.01 * (number + 1) for number in range(STEPS)]
    rows = zip(*_batches(), rates, strict=True)
    return np.stack([steps.train(images, targets, [rate]) for images, targets, rate in rows])


def _weights(steps: Steps) -> dict[str, Any]:
    return {name: one for name, one in steps.arrays().items() if name.startswith(MODEL)}


def test_the_same_steps_give_the_same_bytes() -> None:
    first, second = _steps(LAYERS), _steps(LAYERS)
    np.testing.assert_array_equal(_one_by_one(first), _one_by_one(second))
    for name, one in first.arrays().items():
        assert one.tobytes() == second.arrays()[name].tobytes(), name


@pytest.mark.parametrize("way", ["several", "compiled"])
def test_other_ways_to_run_the_same_steps_differ_by_rounding_only(way: str) -> None:
    plain, other = _steps(SMALL), _steps(SMALL, jit_compile=way == "compiled")
    expected = _one_by_one(plain)
    if way == "several":
        rates = [[0.01], [0.02], [0.03], [0.04]]
        found = other.train_several(*_batches(), rates)
    else:
        found = _one_by_one(other)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    for name, one in _weights(plain).items():
        np.testing.assert_allclose(one, _weights(other)[name], rtol=1e-3, atol=1e-4)


PROGRAM = """
import json
from tests.dlae_core.steps import test_supervised as steps
from dlae_core.steps import device
device("cpu", deterministic=True)
import tensorflow as tf
from tensorflow.python.framework import config
found = steps._one_by_one(steps._steps(steps.LAYERS))
print(json.dumps([config.is_op_determinism_enabled(), found[:, 0].tolist()]))
"""


def test_deterministic_operations_are_turned_on_and_train_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    is_on, losses = json.loads(done.stdout)
    assert is_on
    np.testing.assert_allclose(losses, _one_by_one(_steps(LAYERS))[:, 0], rtol=1e-3)
