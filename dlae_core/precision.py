"""The numbers that a network calculates with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

SINGLE, MIXED = "float32", "mixed_bfloat16"
# Layers that cost little in any precision.
_WITHOUT_SUMS = (
    keras.layers.Activation,
    keras.layers.Concatenate,
    keras.layers.Reshape,
    keras.layers.Softmax,
)


def calculate_in(model: keras.Model, precision: str) -> None:
    """Makes a network calculate in another precision from its next call on.

    Weights stay float32. The last layer stays float32 too, with those before it that arrange or
    activate only, so that losses see probabilities, and detectors have anchors, that are not
    rounded.

    Reference: Micikevicius et al. (2018), Mixed precision training.
    """
    last = True
    for layer in reversed(model.layers):
        layer.dtype_policy = SINGLE if last else precision
        last = last and isinstance(layer, _WITHOUT_SUMS)


@contextmanager
def as_single(model: keras.Model) -> Iterator[None]:
    """Makes a network a float32 one for as long as it is being saved."""
    before = [layer.dtype_policy for layer in model.layers]
    calculate_in(model, SINGLE)
    try:
        yield
    finally:
        for layer, policy in zip(model.layers, before, strict=True):
            layer.dtype_policy = policy


def processor_has_bfloat16(facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Returns whether the processor has instructions for bfloat16, as far as it can be known."""
    try:
        lines = facts.read_text().splitlines()
    except OSError:
        return True
    flags = next((line.split() for line in lines if line.startswith("flags")), None)
    return flags is None or bool({"avx512_bf16", "amx_bf16", "avx_ne_convert"} & set(flags))
