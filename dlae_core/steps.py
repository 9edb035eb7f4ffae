"""The compiled training and evaluation steps. All that the trainer knows of TensorFlow is here."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.errors import (
    DeviceOutOfMemory,
    IncompatibleArtifact,
    InvalidConfig,
    Violation,
)
from dlae_core.fused import fuse_normalization
from dlae_core.monitors import Monitors

Float64 = NDArray[np.float64]
Loss = Callable[[Any, Any], Any]

TENSORFLOW = str(tf.__version__)

# What names of variables begin with.
MODEL, OPTIMIZER = "model/", "optimizer/"


class Steps:
    """Runs batches through a network, compiled once for any batch size.

    Each step returns float64 `(1 + monitors.size,)`: the batch's loss, regularization included,
    and the monitors' sums. Nothing larger leaves the graph.
    """

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
        fuse_normalization(model)
        self._model = model
        self._jit_compile = jit_compile
        self._optimizer = optimizer
        self._loss = loss
        self._monitors = monitors
        optimizer.build(model.trainable_variables)
        self._compiled: dict[Callable[..., Any], Callable[..., Any]] = {}

    def train(self, images: NDArray[np.float32], targets: NDArray[Any], rate: float) -> Float64:
        """Updates the weights by one batch at a learning rate.

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
        """
        sums = self._run(self._train_step, images, targets, np.float32(rate))
        return np.asarray(sums, dtype=np.float64)

    def train_several(
        self, images: NDArray[np.float32], targets: NDArray[Any], rates: NDArray[np.float32]
    ) -> Float64:
        """Updates the weights by one batch after the other, in one call.

        Args:
            images: float32 (steps, batch, *space, channels).
            targets: (steps, batch, ...).
            rates: float32 (steps,), learning rates.

        Returns:
            float64 (steps, 1 + monitors.size).

        Raises:
            DeviceOutOfMemory: The batches do not fit the device.
        """
        sums = self._run(self._train_steps, images, targets, rates)
        return np.asarray(sums, dtype=np.float64)

    def evaluate(self, images: NDArray[np.float32], targets: NDArray[Any]) -> Float64:
        """Measures one batch without changing anything.

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
        """
        return np.asarray(self._run(self._evaluate_step, images, targets), dtype=np.float64)

    def output(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns what the network gives for images, float32 (batch, ...).

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
        """
        return np.asarray(self._run(self._output_step, images), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns all that steps change: weights, the state of random layers, of the optimizer."""
        return {name: np.asarray(variable) for name, variable in self._variables().items()}

    def assign(self, arrays: Mapping[str, NDArray[Any]], optimizer: bool = True) -> None:
        """Goes on from what `arrays` returned; from the weights alone, or with the optimizer.

        Raises:
            IncompatibleArtifact: It is of another network or optimizer.
        """
        if reason := self.misfit(arrays, optimizer):
            raise IncompatibleArtifact(reason)
        for name, variable in self._wanted(optimizer).items():
            variable.assign(arrays[name])

    def misfit(self, arrays: Mapping[str, NDArray[Any]], optimizer: bool = True) -> str | None:
        """Returns what keeps arrays from being assigned; None where nothing does."""
        for name, variable in self._wanted(optimizer).items():
            found = arrays[name].shape if name in arrays else None
            if found != tuple(variable.shape):
                return (
                    f"expected {variable.path} of shape {tuple(variable.shape)} in the checkpoint, "
                    f"found {'none' if found is None else found}; it is of another network or "
                    "optimizer"
                )
        return None

    def paths(self) -> list[str]:
        """Returns where each variable of the network belongs, as `layer/weight`."""
        # Keras numbers seeds through the whole process.
        return [
            re.sub(r"^seed_generator_\d+", "seed_generator", variable.path)
            for variable in self._model.variables
        ]

    def _wanted(self, optimizer: bool) -> dict[str, keras.Variable]:
        return {
            name: variable
            for name, variable in self._variables().items()
            if optimizer or name.startswith(MODEL)
        }

    def _variables(self) -> dict[str, keras.Variable]:
        parts = {MODEL: self._model.variables, OPTIMIZER: self._optimizer.variables}
        return {
            f"{part}{number:05d}": variable
            for part, variables in parts.items()
            for number, variable in enumerate(variables)
        }

    def _run(self, step: Callable[..., Any], images: NDArray[np.float32], *rest: Any) -> Any:
        if step not in self._compiled:
            # One trace for whole and partial batches: tracing a deep network takes seconds.
            # XLA compiles for one size at a time, and knows it better from the arrays.
            signature = [_any_batch(array) for array in (images, *rest)]
            self._compiled[step] = tf.function(
                step,
                input_signature=None if self._jit_compile else signature,
                jit_compile=self._jit_compile,
            )
        try:
            result = self._compiled[step](images, *rest)
        except tf.errors.ResourceExhaustedError as error:
            raise DeviceOutOfMemory(
                f"the network and a batch of {len(images)} images of shape {images.shape[1:]} do "
                "not fit the device's memory; lower training_configurations.batch_size or the "
                "number of filters"
            ) from error
        except tf.errors.UnimplementedError as error:
            if "determin" not in str(error):
                raise
            raise _unimplemented(error) from error
        return result

    def _train_step(self, images: Any, targets: Any, rate: Any) -> Any:
        variables = self._model.trainable_variables
        self._optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            output = self._model(images, training=True)
            loss = self._total(targets, output)
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return self._sums(loss, targets, output)

    def _train_steps(self, images: Any, targets: Any, rates: Any) -> Any:
        def step(_: Any, batch: tuple[Any, Any, Any]) -> Any:
            return self._train_step(*batch)

        width = 1 + self._monitors.size
        return tf.scan(step, (images, targets, rates), tf.zeros((width,)), parallel_iterations=1)

    def _evaluate_step(self, images: Any, targets: Any) -> Any:
        output = self._model(images, training=False)
        return self._sums(self._total(targets, output), targets, output)

    def _output_step(self, images: Any) -> Any:
        return self._model(images, training=False)

    def _total(self, targets: Any, output: Any) -> Any:
        return tf.add_n([self._loss(targets, output), *self._model.losses])

    def _sums(self, loss: Any, targets: Any, output: Any) -> Any:
        return tf.concat([tf.reshape(loss, (1,)), self._monitors.sums(targets, output)], axis=0)


def device(hardware: str, deterministic: bool = False) -> str:
    """Makes the process use the configured kind of device; returns what it uses: `cpu` or `gpu`.

    Must be called before the first operation.

    Args:
        hardware: `cpu` or `gpu`.
        deterministic: Whether operations must give the same bytes every time; holds for the rest
            of the process.
    """
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    if hardware == "cpu":
        tf.config.set_visible_devices([], "GPU")
    return "gpu" if tf.config.get_visible_devices("GPU") else "cpu"


def _unimplemented(error: tf.errors.UnimplementedError) -> InvalidConfig:
    reason = str(error.message).strip().splitlines()[0]
    place = "training_configurations.deterministic_switch"
    sentence = (
        f"expected False because a layer cannot be calculated deterministically on this device "
        f"({reason}), got True"
    )
    return InvalidConfig([Violation(place, "NOT_DETERMINISTIC", sentence)])


def _any_batch(array: NDArray[Any]) -> Any:
    return tf.TensorSpec((None, *array.shape[1:]) if array.shape else (), array.dtype)
