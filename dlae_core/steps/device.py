"""The devices that a process trains on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import tensorflow as tf

from dlae_core.errors import InvalidConfig, Violation
from dlae_core.steps.machines import OneMachine, Place, SeveralMachines, connected

TENSORFLOW = str(tf.__version__)
SEVERAL = "multi-gpu"
# For tests: a number of parts of the processor that stand for GPUs.
STAND_INS = "DLAE_TEST_STAND_IN_GPUS"


@dataclass(frozen=True)
class Devices:
    """What a process trains on, and with whom.

    Attributes:
        kind: `cpu` or `gpu`.
        strategy: Connects several devices; None: there is one only.
        machines: This machine, and the others of the training.
    """

    kind: str
    strategy: tf.distribute.Strategy | None = None
    machines: OneMachine = field(default_factory=OneMachine)

    @property
    def label(self) -> str:
        """The device for people, such as `gpu` or `4 x gpu`."""
        count = self.strategy.num_replicas_in_sync if self.strategy else 1
        return self.kind if count == 1 else f"{count} x {self.kind}"

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Makes what is built in it be on all devices: networks, optimizers, steps."""
        if self.strategy is None:
            yield
        else:
            with self.strategy.scope():
                yield


def device(hardware: str, deterministic: bool = False) -> str:
    """Makes the process use one device of the configured kind; returns it: `cpu` or `gpu`.

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


def devices(
    hardware: str,
    number: int = 1,
    deterministic: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Devices:
    """Makes the process use the configured devices.

    Must be called before the first operation.

    Args:
        hardware: `cpu`, `gpu` or `multi-gpu`.
        number: GPUs of this machine for `multi-gpu`. Without any, 1 is the processor.
        deterministic: As of `device`.
        cancelled: Is asked while it waits for other machines whether to stop.

    Raises:
        InvalidConfig: There are fewer GPUs, or `TF_CONFIG` cannot be understood.
        MachineLost: Not all machines that `TF_CONFIG` names came.
        TrainingCancelled: `cancelled` said so.
    """
    kind = device(hardware, deterministic)
    if hardware != SEVERAL:
        return Devices(kind)
    place = Place.of_environment()
    names = tuple(_several(number))
    if place:
        strategy = connected(place, cancelled)
        return Devices(kind, strategy, SeveralMachines(strategy, place))
    return Devices(kind, _mirrored(names) if len(names) > 1 else None)


def lacking(hardware: str, number: int) -> list[Violation]:
    """Returns the violation of a configuration that wants more GPUs than there are, if it does."""
    found = len(tf.config.get_visible_devices("GPU")) or int(os.environ.get(STAND_INS, "0"))
    if hardware != SEVERAL or number <= max(found, 1):
        return []
    sentence = (
        f"expected at most {max(found, 1)} because this machine has "
        f"{found or 'no'} GPU{'' if found == 1 else 's'}, got {number}"
    )
    return [Violation("training_configurations.number_of_gpus", "TOO_FEW_GPUS", sentence)]


@cache
def _mirrored(names: tuple[str, ...]) -> tf.distribute.Strategy:
    # A second one in a process would take up the operations between devices of the first.
    return tf.distribute.MirroredStrategy(list(names))


def _several(number: int) -> list[str]:
    """Returns the names of some GPUs, the only ones that the process will see from now on.

    Raises:
        InvalidConfig: There are fewer.
    """
    if violations := lacking(SEVERAL, number):
        raise InvalidConfig(violations)
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus and number > 1:
        part = tf.config.LogicalDeviceConfiguration()
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [part] * number)
    tf.config.set_visible_devices(gpus[:number], "GPU")
    return [f"{'GPU' if gpus else 'CPU'}:{place}" for place in range(number)]
