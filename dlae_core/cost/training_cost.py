"""Memory and time of a training step, estimated before any training.

`memory` = weights + optimizer's slots + the largest of
    initial weights: two temporaries of the largest + intermediate results at their peak,
    backward pass: gradients of the weights + intermediate results at their peak,
    update of the weights: gradients + temporaries,
+ batches on their way + TensorFlow's own graph + the weights as they are saved in the end:
TensorFlow keeps the memory that it has once used. Of a GPU, only the first two lines count.

`time` = operations / rate of a convolution + bytes moved / rate of a sum + a little per layer.

Constants and tables were fitted to measured training on two AVX-512 cores with TensorFlow 2.21
(`python -m benchmarks.cost_estimate` measures again); on a GPU they are unverified.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.config.loss_kinds import SPARSE_LOSS
from dlae_core.cost.arithmetic import Work, work_of
from dlae_core.cost.calls import FLOAT32_BYTES, Call, calls_of, has_known_shapes, values_of
from dlae_core.cost.machine import CPU, Throughput, device_for, throughput
from dlae_core.cost.memory import activation_bytes
from dlae_core.cost.roles import Role, role_of
from dlae_core.cost.updates import Update, update_of
from dlae_core.data.ahead import cores

MEBIBYTE = 1 << 20

# Freed memory that the allocator cannot give to the next tensor.
FRAGMENTATION = 1.12
# Outputs that the loss and its gradient hold at once.
LOSS_OUTPUTS = 3
# Nodes, kernels and Python objects of the compiled step: per weight tensor, and for the first one.
GRAPH_BYTES_PER_TENSOR = 0.83 * MEBIBYTE
GRAPH_BYTES = 16 * MEBIBYTE
# Dispatch of the operations of one layer, or of one weight's update.
SECONDS_PER_CALL = 60e-6


@dataclass(frozen=True)
class Cost:
    """What training a configuration takes.

    Attributes:
        memory_bytes: Peak for batches of the configured size: of a GPU, or of a process beyond what
            it holds with Keras loaded, which is 0.7 GB. Samples that the pipeline keeps, up to
            1 GiB, come on top. 0: unknown, as an input has no fixed size.
        seconds_per_step: Time of one training step on this machine, were it idle. 0: unknown.
    """

    memory_bytes: int
    seconds_per_step: float


def estimate(models: Sequence[keras.Model], config: Config) -> Cost:
    """Estimates what one training step takes.

    Args:
        models: All networks of the configuration, whose weights need no values: `model`, or those
            of a GAN, of names that begin with `generator` and `discriminator`.
        config: Resolved.
    """
    if not models or not all(has_known_shapes(model) for model in models):
        return Cost(0, 0.0)
    batch = config.training_configurations.batch_size
    parts = [_Part.of(model, role_of(model.name, config), config, batch) for model in models]
    device = device_for(config.training_configurations.hardware)
    rates = throughput(device)
    memory = _device_bytes(parts)
    if device == CPU:
        memory += _process_bytes(parts) + _waiting_bytes(models[0], config)
    return Cost(
        memory_bytes=round(memory),
        seconds_per_step=sum(part.seconds(rates) for part in parts) if rates else 0.0,
    )


@dataclass(frozen=True)
class _Part:
    """One network of a training. Sizes are in bytes, of one batch where they depend on it."""

    role: Role
    update: Update
    calls: Sequence[Call]
    batch: int
    weights: int
    trainable: int
    largest: int
    tensors: int
    output: int

    @classmethod
    def of(cls, model: keras.Model, role: Role, config: Config, batch: int) -> "_Part":
        settings = config.optimizer
        if role.optimizer:
            settings = getattr(settings, role.optimizer)
        return cls(
            role=role,
            update=update_of(settings),
            calls=calls_of(model),
            batch=batch,
            weights=_bytes(model.weights),
            trainable=_bytes(model.trainable_variables),
            largest=max((_bytes([weight]) for weight in model.weights), default=0),
            tensors=len(model.weights),
            output=FLOAT32_BYTES * batch * sum(values_of(tensor) for tensor in model.outputs),
        )

    @property
    def lasting(self) -> float:
        """Weights and what the optimizer keeps."""
        return self.weights + self.update.slots * self.trainable

    @property
    def passing(self) -> float:
        """Peak of what comes and goes with every batch."""
        activations = FRAGMENTATION * activation_bytes(self.calls, self.batch)
        return self.role.kept * (activations + LOSS_OUTPUTS * self.output)

    @property
    def updating(self) -> float:
        """Peak of the update."""
        return (1 + self.update.temporaries) * self.trainable

    @property
    def graph(self) -> float:
        """TensorFlow's graph of the network."""
        return self.tensors * GRAPH_BYTES_PER_TENSOR * (self.role.updates + self.role.through)

    def seconds(self, rates: Throughput) -> float:
        """Returns the time of all runs in one training step."""
        work = sum((work_of(call) for call in self.calls), Work())
        role = self.role
        # A gradient costs as much as the forward pass, once for the input, once for the weights.
        multiply_adds = work.effective * (2 * role.through + 3 * role.updates)
        both = role.through + role.updates
        moved = (work.forward_bytes + work.backward_bytes) * both
        updating = self.update.passes * self.trainable
        calls = len(self.calls) * both + self.tensors
        return (
            2 * multiply_adds * self.batch / rates.operations
            + (moved * self.batch + work.weight_bytes * both + updating) / rates.bytes
            + calls * SECONDS_PER_CALL
        )


def _device_bytes(parts: Sequence[_Part]) -> float:
    """Returns what weights, optimizers and intermediate results take together."""
    passing = sum(part.passing for part in parts)
    initial = 2 * max(part.largest for part in parts) + passing
    backward = sum(part.trainable for part in parts) + passing
    updating = sum(part.updating for part in parts)
    return sum(part.lasting for part in parts) + max(initial, backward, updating)


def _process_bytes(parts: Sequence[_Part]) -> float:
    """Returns what graphs take, and saving all weights, one after the other."""
    saved = sum(part.weights for part in parts) + max(part.largest for part in parts)
    return GRAPH_BYTES + sum(part.graph for part in parts) + saved


def _waiting_bytes(model: keras.Model, config: Config) -> float:
    """Returns what the batches take that wait, are used, and are copied."""
    images = sum(values_of(tensor) for tensor in model.inputs)
    targets = sum(values_of(tensor) for tensor in model.outputs)
    if config.loss_function.loss == SPARSE_LOSS:
        targets //= model.outputs[0].shape[-1]
    waiting = cores() + 1
    size = FLOAT32_BYTES * config.training_configurations.batch_size
    return (waiting + 2) * size * (images + targets)


def _bytes(variables: Sequence[keras.Variable]) -> int:
    return sum(FLOAT32_BYTES * math.prod(variable.shape) for variable in variables)
