"""Steps of one network whose output is compared with a target."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from dlae_core.monitors import Monitors
from dlae_core.steps.compiled import Steps

Loss = Callable[[Any, Any], Any]


class SupervisedSteps(Steps):
    """Minimizes a loss of target and output."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: Loss,
        monitors: Monitors,
        jit_compile: bool = False,
    ) -> None:
        """Prepares the steps.

        Args:
            model: The network.
            optimizer: Moves its weights.
            loss: (target, output) to a scalar.
            monitors: What is summed up beside the loss.
            jit_compile: Whether XLA compiles the steps.
        """
        super().__init__([model], [optimizer], 1 + monitors.size, jit_compile)
        self._model = model
        self._optimizer = optimizer
        self._loss = loss
        self._monitors = monitors
        optimizer.build(model.trainable_variables)

    def _train_step(self, images: Any, targets: Any, rates: Any) -> Any:
        variables = self._model.trainable_variables
        self._optimizer.learning_rate.assign(rates[0])
        with tf.GradientTape() as tape:
            output = self._replicas.whole(self._model(images, training=True))
            loss = self._total(targets, output)
        self._replicas.apply(self._optimizer, tape.gradient(loss, variables), variables)
        return self._sums(loss, targets, output)

    def _evaluate_step(self, images: Any, targets: Any) -> Any:
        output = self._replicas.whole(self._model(images, training=False))
        return self._sums(self._total(targets, output), targets, output)

    def _total(self, targets: Any, output: Any) -> Any:
        added = self._replicas.means(self._model.losses)
        return tf.add_n([self._loss(targets, output), *added])

    def _sums(self, loss: Any, targets: Any, output: Any) -> Any:
        return tf.concat([tf.reshape(loss, (1,)), self._monitors.sums(targets, output)], axis=0)
