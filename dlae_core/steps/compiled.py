"""What compiled steps of all families have in common."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from dlae_core.steps.machines import LOST, machine_lost
from dlae_core.steps.replicas import Mirrored, Replicas

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# What names of variables begin with.
MODEL, OPTIMIZER = "model/", "optimizer/"


class Steps(ABC):
    """Runs batches through networks, compiled once for any batch size.

    Each step returns a few numbers, float64 `(1 + monitors.size,)`: the batch's loss,
    regularization included, and the monitors' sums. Nothing larger leaves the graph.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        optimizers: Sequence[keras.optimizers.Optimizer],
        width: int,
        jit_compile: bool = False,
    ) -> None:
        """Prepares the steps.

        Args:
            models: All networks; the first is the one that predicts.
            optimizers: Move their weights; what builds them is the family's.
            width: How many numbers a step returns.
            jit_compile: Whether XLA compiles the steps.
        """
        # As Keras' optimizers do, steps stay with the strategy under which they are made.
        self._replicas = (
            Mirrored(tf.distribute.get_strategy(), models, optimizers)
            if tf.distribute.has_strategy()
            else Replicas()
        )
        for model in models:
            fuse_normalization(model, self._replicas.moments)
        self._models = tuple(models)
        self._optimizers = tuple(optimizers)
        self._width = width
        self._jit_compile = jit_compile
        self._compiled: dict[Callable[..., Any], Callable[..., Any]] = {}

    def train(self, images: Float32, targets: NDArray[Any], rates: Sequence[float]) -> Float64:
        """Updates the weights by one batch, at one learning rate per optimizer.

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
            MachineLost: Another machine of the training does not answer.
        """
        sums = self._run(self._train_batch, images, targets, np.asarray(rates, np.float32))
        return np.asarray(sums, dtype=np.float64)

    def train_several(
        self, images: Float32, targets: NDArray[Any], rates: Sequence[Sequence[float]]
    ) -> Float64:
        """Updates the weights by one batch after the other, in one call.

        Args:
            images: float32 (steps, batch, *space, channels).
            targets: (steps, batch, ...).
            rates: Learning rates, (steps, optimizers).

        Returns:
            float64 (steps, 1 + monitors.size).

        Raises:
            DeviceOutOfMemory: The batches do not fit the device.
        """
        sums = self._run(self._train_steps, images, targets, np.asarray(rates, np.float32))
        return np.asarray(sums, dtype=np.float64)

    def evaluate(self, images: Float32, targets: NDArray[Any]) -> Float64:
        """Measures one batch without changing anything.

        Raises:
            DeviceOutOfMemory: The batch does not fit the device.
        """
        return np.asarray(self._run(self._evaluate_batch, images, targets), dtype=np.float64)

    def output(self, images: Float32) -> Float32:
        """Returns what the predicting network gives for images, float32 (batch, ...).

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
        """Returns where each variable of the predicting network belongs, as `layer/weight`."""
        # Keras numbers seeds through the whole process.
        return [
            re.sub(r"^seed_generator_\d+", "seed_generator", variable.path)
            for variable in self._models[0].variables
        ]

    def _wanted(self, optimizer: bool) -> dict[str, keras.Variable]:
        return {
            name: variable
            for name, variable in self._variables().items()
            if optimizer or name.startswith(MODEL)
        }

    def _variables(self) -> dict[str, keras.Variable]:
        parts: dict[str, Iterable[Any]] = {MODEL: self._models, OPTIMIZER: self._optimizers}
        return {
            f"{part}{number:05d}": variable
            for part, owners in parts.items()
            for number, variable in enumerate(one for owner in owners for one in owner.variables)
        }

    def _run(self, step: Callable[..., Any], images: Float32, *rest: Any) -> Any:
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
        except LOST as error:
            raise machine_lost(error) from error
        except tf.errors.UnimplementedError as error:
            if "determin" not in str(error):
                raise
            raise _unimplemented(error) from error
        return result

    @abstractmethod
    def _train_step(self, images: Any, targets: Any, rates: Any) -> Any:
        """Updates the weights; returns loss and sums, float32 (width,). Inside the graph."""

    @abstractmethod
    def _evaluate_step(self, images: Any, targets: Any) -> Any:
        """Returns loss and sums, float32 (width,). Inside the graph."""

    def _train_batch(self, images: Any, targets: Any, rates: Any) -> Any:
        return self._replicas.run(self._train_step, images, targets, rates)

    def _evaluate_batch(self, images: Any, targets: Any) -> Any:
        return self._replicas.run(self._evaluate_step, images, targets)

    def _train_steps(self, images: Any, targets: Any, rates: Any) -> Any:
        def step(_: Any, batch: tuple[Any, Any, Any]) -> Any:
            return self._train_batch(*batch)

        start = tf.zeros((self._width,))
        return tf.scan(step, (images, targets, rates), start, parallel_iterations=1)

    def _output_step(self, images: Any) -> Any:
        return self._models[0](images, training=False)


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
