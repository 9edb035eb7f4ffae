"""NAdam with the schedule of its paper."""

from typing import Any

import keras
from keras import ops

_BASE = 0.96
# Updates in which the schedule's base acts once.
_PERIOD = 250


@keras.saving.register_keras_serializable("dlae")
class Nadam(keras.optimizers.Nadam):  # type: ignore[misc]
    """Adam with Nesterov momentum, whose momentum `beta_1 (1 - 0.96^(t / 250) / 2)` rises slowly.

    Reference: Dozat (2016), Incorporating Nesterov momentum into Adam.
    Differs: Keras 3 has t in place of t / 250, so that its momentum is full after 100 updates;
    Keras 2, on which DLAE 1.0 stood, has the paper's.
    """

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        momentum = self._momentum(self.iterations + 1, self._u_product.dtype)
        self.assign(self._u_product, self._u_product * momentum)
        # Past Keras's Nadam, which would multiply by its own momentum.
        super(keras.optimizers.Nadam, self)._backend_update_step(
            grads, trainable_variables, learning_rate
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable and its moments."""
        kind = variable.dtype
        gradient, rate = ops.cast(gradient, kind), ops.cast(learning_rate, kind)
        step = self.iterations + 1
        momentum, following = self._momentum(step, kind), self._momentum(step + 1, kind)
        product = ops.cast(self._u_product, kind)
        position = self._get_variable_index(variable)
        first, second = self._momentums[position], self._velocities[position]
        self.assign_add(first, (gradient - first) * (1 - self.beta_1))
        self.assign_add(second, (ops.square(gradient) - second) * (1 - self.beta_2))
        mean = following * first / (1 - product * following)
        mean += (1 - momentum) * gradient / (1 - product)
        square = second / (1 - ops.power(ops.cast(self.beta_2, kind), ops.cast(step, kind)))
        self.assign_sub(variable, mean * rate / (ops.sqrt(square) + self.epsilon))

    def _momentum(self, step: Any, kind: str) -> Any:
        return self.beta_1 * (1 - 0.5 * ops.power(_BASE, ops.cast(step, kind) / _PERIOD))
