"""The same steps on one device and on several: a program, as devices are made when it begins.

`python -m tests.dlae_core.steps.on_replicas FOLDER REPLICAS` writes `CASE-REPLICAS.npz` into a
folder: what the steps of a case returned, and all variables after them. With REPLICAS other than 1
it writes `dropped.npz`, too.
"""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dlae_core.config import load_config
from dlae_core.losses import loss_row
from dlae_core.optimization import build_optimizer
from dlae_core.precision import calculate_in
from dlae_core.steps import SupervisedSteps
from dlae_core.steps.replicas import Mirrored
from dlae_core.training.measuring import monitors_of
from dlae_core.validation import checked_networks
from tests.sessions import config_text

# The last batches are smaller than the number of replicas.
SIZES = (5, 6, 4, 5, 5, 6, 4, 5, 2, 1)
U_NET = [
    "Input:(8, 8, 1)",
    "Convolution 2D:4:(3, 3):1:same:2:he_normal:l2",
    "Activation:relu",
    "Batch normalization",
    "Outer skip source",
    "Max pooling 2D:(2, 2)",
    "Separable convolution 2D:4:(3, 3)",
    "PReLU",
    "Batch normalization",
    "Transpose convolution 2D:4:(2, 2):(2, 2)",
    "Outer skip target:concatenate",
    "Convolution 2D:2:(1, 1)",
    "Activation:softmax",
]
CLASSIFIER = [
    "Input:(8, 8, 1)",
    "Convolution 2D:4:(3, 3)",
    "Activation:relu",
    "Batch normalization",
    "Global average pooling 2D",
    "Dense:2",
    "Activation:softmax",
]


@dataclass(frozen=True)
class Case:
    """What is trained, and how."""

    family: str
    layers: Sequence[str]
    optimizer: str
    loss: str
    changes: dict[str, Any] = field(default_factory=dict)


# Losses of the whole batch, regularization, clipping by the length of the whole gradient.
CASES = {
    "dice": Case("FCN", U_NET, "NAdam", "soft_dice", {"optimizer__gradient_clip_norm": 0.05}),
    "classes": Case("CNN", CLASSIFIER, "Adam", "categorical_crossentropy"),
}


def steps_of(case: Case) -> SupervisedSteps:
    """Returns the steps of a case, with the same weights every time."""
    text = config_text(
        Path("nowhere"),
        case.family,
        layers__serial_layer_list=list(case.layers),
        optimizer__optimizer=case.optimizer,
        loss_function__loss=case.loss,
        **case.changes,
    )
    config = load_config(text).config
    keras.utils.set_random_seed(1)
    network = checked_networks(config)[0]
    calculate_in(network.model, config.training_configurations.precision)
    return SupervisedSteps(
        network.model,
        build_optimizer(config.optimizer, 0.01),
        loss_row(config).build(config.loss_function, None),
        monitors_of(config, network),
    )


def batch(number: int, family: str) -> tuple[Any, Any]:
    """Returns images and targets of a batch."""
    images = np.random.default_rng(number).random((SIZES[number], 8, 8, 1), np.float32)
    truth = images[..., 0] > 0.5 if family == "FCN" else images.mean((1, 2, 3)) > 0.5
    return images, np.eye(2, dtype=np.float32)[truth.astype(int)]


@cache
def strategy_of(replicas: int) -> Any:
    """Returns what connects parts of the processor; None for one."""
    if replicas == 1:
        return None
    return tf.distribute.MirroredStrategy([f"CPU:{place}" for place in range(replicas)])


def trained(case: Case, replicas: int) -> dict[str, Any]:
    """Returns what steps return one by one, evaluating and in one call; and the variables."""
    strategy = strategy_of(replicas)
    with strategy.scope() if strategy else nullcontext():
        steps = steps_of(case)
    sums = [steps.train(*batch(number, case.family), [0.01]) for number in range(len(SIZES))]
    sums.append(steps.evaluate(*batch(0, case.family)))
    pair = zip(batch(0, case.family), batch(3, case.family), strict=True)
    images, targets = (np.stack(arrays) for arrays in pair)
    sums += list(steps.train_several(images, targets, [[0.01], [0.02]]))
    return {"sums": np.stack(sums), "output": steps.output(images[0]), **steps.arrays()}


def dropped(replicas: int) -> dict[str, Any]:
    """Returns what dropout makes of ones, one row on each replica."""
    strategy = strategy_of(replicas)
    with strategy.scope():
        image = keras.Input((64,))
        model = keras.Model(image, keras.layers.Dropout(0.5, seed=1)(image))
    mirrored = Mirrored(strategy, [model], [])

    def step(images: Any) -> Any:
        return mirrored.whole(model(images, training=True))

    called = tf.function(lambda images: mirrored.run(step, images))
    return {"output": called(np.ones((replicas, 64), np.float32))}


def main(folder: Path, replicas: int) -> None:
    """Writes the file of every case."""
    part = tf.config.LogicalDeviceConfiguration()
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [part] * replicas)
    for name, case in CASES.items():
        np.savez(folder / f"{name}-{replicas}.npz", **trained(case, replicas))
    if replicas > 1:
        np.savez(folder / "dropped.npz", **dropped(replicas))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
