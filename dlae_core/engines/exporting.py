"""A trained network written for the other engines, and what they make of real samples.

What fails here fails no training: TensorFlow serves every model.
"""

import logging
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dlae_core.data.pipeline import Delivers
from dlae_core.engines.choice import installed
from dlae_core.errors import DlaeError

Float32 = NDArray[np.float32]

# Largest difference of an engine's output to Keras', see `difference`.
# Engines in float32 stay below 1e-5; what is wrongly converted, or done in bfloat16, is above 1e-3.
TOLERANCE = 1e-4
# Samples that are compared, and bytes of them, but for the first.
SAMPLES, SAMPLE_BYTES = 8, 64 << 20
# Whatever a converter or an engine may come to grief with.
_FAILURES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, MemoryError),
    *(OSError, RuntimeError, TypeError, ValueError),
    *(DlaeError, tf.errors.OpError),
)


@dataclass(frozen=True)
class Form:
    """A file that engines run.

    Attributes:
        file: Its name.
        companions: Files that belong to it.
        write: Writes a network to a path.
        peak: Memory that writing takes at most, in multiples of the weights.
        engines: That can read it.
    """

    file: str
    companions: tuple[str, ...]
    write: Callable[[keras.Model, Path], None]
    engines: tuple[str, ...]
    peak: int

    def lacking(self, model: keras.Model) -> str:
        """Returns what a machine lacks to write a network; empty where it lacks nothing known."""
        needed = self.peak * sum(4 * math.prod(weight.shape) for weight in model.weights)
        free = _available_bytes()
        if free is None or needed <= free:
            return ""
        return f"writing it takes about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"


def export_engines(bundle: Path, model: keras.Model, samples: Float32) -> dict[str, Any]:
    """Writes a network for the other engines and compares them with Keras on samples.

    Args:
        bundle: Folder that the files are written to; those that no engine can use are removed.
        model: The trained network.
        samples: Prepared images, float32 (batch, *space, channels).

    Returns:
        For the manifest, by engine: `file`, `samples` and `largest_difference`, see `difference`;
        or `refused`, why the engine is not to be used.
    """
    with keras.device("cpu:0"):
        # On a GPU, Keras itself may compute in less than float32.
        expected = np.asarray(model(samples, training=False))
    found: dict[str, Any] = {}
    for form in FORMS:
        wanted = [name for name in form.engines if "refused" in found.get(name, {"refused": ""})]
        if not any(installed(name) for name in wanted):
            found |= {name: {"refused": "it was not installed"} for name in wanted}
            continue
        lacking = form.lacking(model)
        unwritten = lacking or attempt(partial(form.write, model, bundle / form.file))
        for name in wanted:
            found[name] = (
                {"refused": unwritten}
                if isinstance(unwritten, str)
                else _compared(name, bundle / form.file, samples, expected)
            )
        if not any(found[name].get("file") == form.file for name in form.engines):
            for file in (form.file, *form.companions):
                (bundle / file).unlink(missing_ok=True)
    return found


def real_samples(data: Delivers) -> Float32:
    """Returns some samples of a training to compare engines on.

    Raises:
        UnusableDataset: A sample cannot be read.
    """
    batches = data.batches(0)
    images = (image for batch in batches for image in batch.images)
    first = next(images)
    rest = islice(images, min(SAMPLES - 1, SAMPLE_BYTES // first.nbytes))
    samples = np.stack([first, *rest])
    batches.close()
    return samples


def difference(output: Float32, expected: Float32) -> float:
    """Returns the largest difference of two outputs, as a part of the values of its channel.

    That is, of the largest value in the channel; but at least of 1, or of the largest value of all
    channels where that is smaller: what is nearly 0 everywhere is no measure.
    """
    sizes = np.abs(expected).reshape(-1, expected.shape[-1]).max(axis=0)
    least = max(min(float(sizes.max()), 1.0), float(np.finfo(np.float32).tiny))
    relative = np.abs(output - expected) / np.maximum(sizes, least)
    return float(relative.max())


def _compared(name: str, path: Path, samples: Float32, expected: Float32) -> dict[str, Any]:
    output = attempt(lambda: import_module(f"dlae_core.engines.{name}").load(path).run(samples))
    if isinstance(output, str):
        return {"refused": output}
    if output.shape != expected.shape:
        return {"refused": f"its output has the shape {output.shape}, not {expected.shape}"}
    largest = difference(output, expected)
    # Written so that NaN is refused.
    if not largest <= TOLERANCE:
        return {"refused": f"its output differs from Keras' by {largest:.1e} of the largest value"}
    return {"file": path.name, "samples": len(samples), "largest_difference": largest}


def attempt(work: Callable[[], Any]) -> Any:
    """Returns what some work on an engine returns; why it failed, as a text, where it does."""
    try:
        with _quiet():
            return work()
    except _FAILURES as error:
        first = next(iter(str(error).strip().splitlines()), "")
        return f"{type(error).__name__}: {first[:200]}"


def _write_onnx(model: keras.Model, path: Path) -> None:
    model.export(str(path), format="onnx", verbose=False, input_signature=_signature(model))


def _write_openvino(model: keras.Model, path: Path) -> None:
    """Writes what ONNX cannot say, such as depthwise convolutions of volumes.

    Differs: not through OpenVINO's `convert_model`, as Keras would: it reports to its makers.
    """
    # Refuses OpenVINO its telemetry.
    import_module("dlae_core.engines.openvino")
    openvino = import_module("openvino")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        model.export(
            folder, format="tf_saved_model", verbose=False, input_signature=_signature(model)
        )
        openvino.save_model(openvino.Core().read_model(folder), path, compress_to_fp16=False)


def _signature(model: keras.Model) -> list[keras.InputSpec]:
    return [keras.InputSpec(shape=model.input_shape, dtype="float32")]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the converters' remarks from people who can do nothing about them."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _available_bytes() -> int | None:
    """Returns the memory that a process may still take; None where the system does not tell."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(row.split()[1]) << 10 for row in lines if row.startswith("MemAvailable"))
    return None


# Peaks were measured on Xception of 25 million weights; those of small networks are less.
FORMS = (
    Form("model.onnx", (), _write_onnx, ("openvino", "onnxruntime"), peak=90),
    Form("model.xml", ("model.bin",), _write_openvino, ("openvino",), peak=5),
)
