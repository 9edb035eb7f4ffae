"""A trained network in fewer bits, where that was asked for: made, judged, and accepted or refused.

Judged is on the model's own validation samples, all of them, side by side with float32. What fails
here fails no training.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae.v1.config_pb2 import Config
from dlae_core.data.pipeline import Batch, Delivers
from dlae_core.engines import Engine
from dlae_core.engines.choice import ENGINES, calculates, installed
from dlae_core.engines.exporting import attempt, difference
from dlae_core.engines.precisions import BFLOAT16, INT8, wanted_precisions
from dlae_core.graph import Network
from dlae_core.training.scoring import Score, losses_beyond, score_of
from dlae_core.training_data import TrainingData

Float32 = NDArray[np.float32]
Found = dict[str, Any]

INT8_FILE = "int8.onnx"
# Training samples that ranges of 8 bits are measured on, and bytes of them, but for the first.
MEASURED, MEASURED_BYTES = 128, 512 << 20
_ONNX_FILE = "model.onnx"


@dataclass
class _Candidate:
    """A network in a precision, while it is judged.

    Attributes:
        engine: What runs it.
        score: How it does.
        facts: For the manifest: `engine` and `file`.
        largest: Largest difference from float32 so far, see `difference`.
        refused: Why it is no candidate any more.
    """

    engine: Engine
    score: Score
    facts: Found = field(default_factory=dict)
    largest: float = 0.0
    refused: str = ""

    def add(self, batch: Batch, expected: Float32) -> None:
        """Judges by one more batch."""
        if self.refused:
            return
        output = attempt(partial(self.engine.run, batch.images))
        if isinstance(output, str):
            self.refused = output
        elif output.shape != expected.shape:
            self.refused = f"its output has the shape {output.shape}, not {expected.shape}"
        elif not np.isfinite(output).all():
            self.refused = "its output holds NaN or infinity"
        else:
            self.largest = max(self.largest, difference(output, expected))
            self.score.add(batch, output, expected)


def accepted_precisions(
    bundle: Path, config: Config, network: Network, data: TrainingData, engines: Mapping[str, Any]
) -> dict[str, Found]:
    """Makes and judges a network in the precisions that its configuration wants.

    Args:
        bundle: Folder of the model; holds the files of `engines` and is given others.
        config: Of the training, resolved.
        network: The one that predicts.
        data: Of the training.
        engines: What `export_engines` has found.

    Returns:
        For the manifest, by precision: `engine` and `file`; `samples`, `largest_difference` and
        `metrics`, each as [in float32, in this precision]; `refused` where it is not to be used.
    """
    found: dict[str, Found] = {}
    candidates: dict[str, _Candidate] = {}
    for precision in wanted_precisions(config):
        made = _made(precision, bundle, data, engines)
        if isinstance(made, str):
            found[precision] = {"refused": made}
        else:
            engine, facts = made
            candidates[precision] = _Candidate(engine, score_of(config, network), facts)
    if candidates and data.validation:
        before = score_of(config, network)
        _judge(candidates.values(), before, _reference(bundle, engines), data.validation)
        tolerance = config.save_configurations.precision_tolerance
        for precision, candidate in candidates.items():
            judged = _judged(candidate, before.results(), tolerance)
            found[precision] = {**candidate.facts, "samples": data.validation.count, **judged}
    if "refused" in found.get(INT8, {}):
        (bundle / INT8_FILE).unlink(missing_ok=True)
    return found


def _judge(
    candidates: Iterable[_Candidate], before: Score, reference: Engine, data: Delivers
) -> None:
    """Shows all samples to all candidates, and to float32."""
    for batch in data.batches(0):
        expected = reference.run(batch.images)
        before.add(batch, expected, expected)
        for candidate in candidates:
            candidate.add(batch, expected)


def _reference(bundle: Path, engines: Mapping[str, Any]) -> Engine:
    """Returns the engine that float32 is judged by: the fastest that agrees with Keras."""
    name = next(name for name in ENGINES if "file" in engines.get(name, {}))
    engine: Engine = _module(name).load(bundle / engines[name]["file"])
    return engine


def _made(
    precision: str, bundle: Path, data: TrainingData, engines: Mapping[str, Any]
) -> tuple[Engine, Found] | str:
    """Returns an engine in a precision and which it is; why there is none, as a text."""
    if data.validation is None:
        return "there are no validation samples to judge it by"
    make = {BFLOAT16: _bfloat16, INT8: _int8}[precision]
    made: tuple[Engine, Found] | str = attempt(partial(make, bundle, data, engines))
    return made


def _bfloat16(
    bundle: Path, data: TrainingData, engines: Mapping[str, Any]
) -> tuple[Engine, Found] | str:
    file = engines.get("openvino", {}).get("file")
    if file is None:
        return "it needs OpenVINO, which does not run this model"
    if not calculates("openvino", BFLOAT16):
        return "this processor has no instructions for it, so that it could not be judged"
    engine = _module("openvino").load(bundle / file, precision=BFLOAT16)
    return engine, {"engine": "openvino", "file": file}


def _int8(
    bundle: Path, data: TrainingData, engines: Mapping[str, Any]
) -> tuple[Engine, Found] | str:
    if not installed("onnxruntime"):
        return "it needs ONNX Runtime, which is not installed here: pip install 'dlae[onnxruntime]'"
    if not any(found.get("file") == _ONNX_FILE for found in engines.values()):
        return "it needs an ONNX file, which cannot be had of this network"
    path = bundle / INT8_FILE
    import_module("dlae_core.engines.quantizing").write_int8(
        bundle / _ONNX_FILE, path, _measured(data.training)
    )
    name = "openvino" if "file" in engines.get("openvino", {}) else "onnxruntime"
    return _module(name).load(path), {"engine": name, "file": INT8_FILE}


def _measured(data: Delivers) -> Iterator[Float32]:
    """Yields some training samples, as training sees them."""
    batches = data.batches(0)
    images = (image for batch in batches for image in batch.images)
    first = next(images)
    yield first
    yield from islice(images, min(MEASURED - 1, MEASURED_BYTES // first.nbytes))
    batches.close()


def _judged(candidate: _Candidate, before: Mapping[str, float], tolerance: float) -> Found:
    if candidate.refused:
        return {"refused": candidate.refused}
    after = candidate.score.results()
    judged: Found = {
        "largest_difference": candidate.largest,
        "metrics": {name: [value, after[name]] for name, value in before.items()},
    }
    beyond = losses_beyond(tolerance, before, after)
    return judged | {"refused": ", ".join(beyond)} if beyond else judged


def _module(name: str) -> Any:
    return import_module(f"dlae_core.engines.{name}")
