"""How fast this machine is, measured once per process in a fraction of a second."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from dlae_core.data.ahead import cores

CPU, GPU = "CPU:0", "GPU:0"
# The best of as many repetitions as fit, which are fewer while other programs run.
SECONDS_EACH = 0.06
CHANNELS, KERNEL = 64, 3

Clock = Callable[[], float]


@dataclass(frozen=True)
class Throughput:
    """What a device reaches in the operations that training consists of, were it idle.

    Attributes:
        operations: Floating-point operations per second of a convolution and its two gradients; a
            multiply-add is two.
        bytes: Bytes per second, read and written, of the sum of two large tensors.
    """

    operations: float
    bytes: float


@dataclass(frozen=True)
class _Sample:
    """Sizes that keep a device busy but take milliseconds: images, their side, values to add."""

    images: int
    side: int
    values: int


_SAMPLES = {CPU: _Sample(8, 32, 1 << 22), GPU: _Sample(32, 128, 1 << 26)}


def device_for(hardware: str) -> str:
    """Returns the device that trains where `hardware` is configured. Starts none."""
    return CPU if hardware == "cpu" or not tf.config.list_physical_devices("GPU") else GPU


def leave_memory_to_others() -> None:
    """Makes this process take no more of a GPU's memory than it needs: a training may be using it.

    Has an effect only before anything is computed.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            # The GPU is in use by this process, in whatever way.
            return


@functools.cache
def throughput(device: str) -> Throughput | None:
    """Measures a device; returns None where it has no memory free.

    A GPU's memory is taken as `leave_memory_to_others` says.
    """
    leave_memory_to_others()
    sample = _SAMPLES[device]
    clock = _processor_time if device == CPU else time.perf_counter
    try:
        with tf.device(device):
            return Throughput(_operations(sample, clock), _bytes(sample, clock))
    except tf.errors.OpError:
        return None


def _operations(sample: _Sample, clock: Clock) -> float:
    shape = (sample.images, sample.side, sample.side, CHANNELS)
    image = tf.ones(shape)
    kernel = tf.ones((KERNEL, KERNEL, CHANNELS, CHANNELS))
    settings = {"strides": [1, 1, 1, 1], "padding": "SAME"}

    def step() -> Any:
        raw = tf.raw_ops
        output = raw.Conv2D(input=image, filter=kernel, **settings)
        raw.Conv2DBackpropFilter(
            input=image, filter_sizes=kernel.shape, out_backprop=output, **settings
        )
        return raw.Conv2DBackpropInput(
            input_sizes=shape, filter=kernel, out_backprop=output, **settings
        )

    pixels = sample.images * sample.side**2
    return 3 * 2 * pixels * (KERNEL * CHANNELS) ** 2 / _best_seconds(step, clock)


def _bytes(sample: _Sample, clock: Clock) -> float:
    one, other = tf.ones(sample.values), tf.ones(sample.values)
    return 3 * 4 * sample.values / _best_seconds(lambda: one + other, clock)


def _best_seconds(action: Callable[[], Any], clock: Clock) -> float:
    """Returns the shortest time of an action, its result at hand."""
    _finished(action())
    best, until = float("inf"), time.perf_counter() + SECONDS_EACH
    while best == float("inf") or time.perf_counter() < until:
        start = clock()
        _finished(action())
        best = min(best, clock() - start)
    return best


def _finished(result: Any) -> None:
    """Waits for a result: devices work on while Python goes ahead."""
    float(tf.reshape(result, (-1,))[0])


def _processor_time() -> float:
    """Returns the time that all cores together would have taken.

    A training job may keep the machine busy just now; it will not when the next one runs.
    """
    return time.process_time() / cores()
