"""The kind of device that a process trains on."""

import tensorflow as tf

TENSORFLOW = str(tf.__version__)


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
