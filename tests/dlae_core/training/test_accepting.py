"""Fewer bits are accepted where a model does nearly as well with them, and refused where not."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.pipeline import Batch
from dlae_core.engines.exporting import export_engines
from dlae_core.training.accepting import _Candidate, accepted_precisions
from dlae_core.training.scoring import losses_beyond, score_of
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks
from tests.contracts import effects
from tests.dlae_core.families.configurations import DETECTION, PER_IMAGE, PER_PIXEL, TRANSLATION

pytestmark = pytest.mark.keras

BOTH = {"save_configurations.bfloat16_switch": True, "save_configurations.int8_switch": True}
# One layer more, for those at both ends never have 8 bits.
LISTS = {
    "CNN": ("serial_layer_list", PER_IMAGE[:1] + PER_IMAGE[1:3] + PER_IMAGE[1:]),
    "FCN": ("serial_layer_list", PER_PIXEL[:1] + PER_PIXEL[1:3] + PER_PIXEL[1:]),
    "BBD": ("serial_layer_list", DETECTION),
    "GAN": ("generator_layer_list", TRANSLATION[:1] + TRANSLATION[1:3] + TRANSLATION[1:]),
}
MEASURES = {
    "CNN": {"accuracy", "auc"},
    "FCN": {"dice"},
    "BBD": {"average_precision"},
    "GAN": {"mean_absolute_error"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accepting")


def _config(root: Path, base: str, **changes: Any) -> Config:
    key, layers = LISTS[base]
    given = {**BOTH, f"layers.{key}": layers}
    given |= {name.replace("__", "."): value for name, value in changes.items()}
    return load_config(json.dumps(effects.sections(root, base, given))).config


def _judged(config: Config, bundle: Path, change: Callable[..., Any] | None = None) -> Any:
    network = checked_networks(config)[0]
    with open_training_data(config, network) as data:
        samples = next(iter(data.training.batches(0))).images
        engines = export_engines(bundle, network.model, samples)
        seen = change(data) if change else data
        return accepted_precisions(bundle, config, network, seen, engines)


@pytest.mark.parametrize("base", LISTS)
def test_every_family_is_judged_by_its_own_measure(base: str, root: Path, tmp_path: Path) -> None:
    found = _judged(_config(root, base, save_configurations__precision_tolerance=0.99), tmp_path)
    int8 = found["int8"]
    assert set(int8["metrics"]) == MEASURES[base]
    assert "refused" not in int8
    assert (int8["engine"], int8["file"]) == ("openvino", "int8.onnx")
    assert 0 < int8["largest_difference"] < 1
    assert (tmp_path / "int8.onnx").exists()
    # Not every processor has it.
    bfloat16 = found["bfloat16"]
    assert (
        "no instructions" in bfloat16["refused"] if "refused" in bfloat16 else bfloat16["metrics"]
    )


def test_what_is_refused_leaves_its_numbers_and_no_file(root: Path, tmp_path: Path) -> None:
    unpaired = {"loss_function__loss": "cyclegan", "training_configurations__unpaired_switch": True}
    strict = {"save_configurations__precision_tolerance": 0.0}
    int8 = _judged(_config(root, "GAN", **unpaired, **strict), tmp_path)["int8"]
    before, after = int8["metrics"]["mean_absolute_difference"]
    assert before == 0 < after
    assert int8["refused"] == (
        f"its mean absolute difference rises from 0.0000 to {after:.4f}, by more than 0"
    )
    assert not (tmp_path / "int8.onnx").exists()


def test_without_validation_samples_nothing_is_accepted(root: Path, tmp_path: Path) -> None:
    found = _judged(_config(root, "FCN"), tmp_path, lambda data: replace(data, validation=None))
    reason = {"refused": "there are no validation samples to judge it by"}
    assert found == {"bfloat16": reason, "int8": reason}


def test_nothing_is_made_that_was_not_asked_for(root: Path, tmp_path: Path) -> None:
    config = _config(root, "FCN", **dict.fromkeys(BOTH, False))
    assert accepted_precisions(tmp_path, config, *[Any] * 3) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ({"dice": 0.9}, {"dice": 0.8901}, []),
        ({"dice": 0.9}, {"dice": 0.95}, []),
        (
            {"accuracy": 0.9, "auc": 0.8},
            {"accuracy": 0.9, "auc": 0.75},
            ["its auc falls from 0.8000 to 0.7500, by more than 0.01"],
        ),
        ({"mean_absolute_error": 20.0}, {"mean_absolute_error": 20.1}, []),
        (
            {"mean_absolute_error": 20.0},
            {"mean_absolute_error": 21.0},
            ["its mean absolute error rises from 20.0000 to 21.0000, by more than 0.01 of it"],
        ),
        (
            {"dice": 0.9},
            {"dice": float("nan")},
            ["its dice falls from 0.9000 to nan, by more than 0.01"],
        ),
    ],
)
def test_scores_may_fall_and_errors_rise_by_the_tolerance(
    before: dict[str, float], after: dict[str, float], sentences: list[str]
) -> None:
    assert losses_beyond(0.01, before, after) == sentences


def test_dice_is_that_of_all_validation_samples(root: Path) -> None:
    config = _config(root, "FCN")
    score = score_of(config, checked_networks(config)[0])
    random = np.random.default_rng(4)
    truths, outputs = random.integers(0, 2, (5, 8, 8)), random.random((5, 8, 8, 2), np.float32)
    for part in (slice(0, 3), slice(3, 5)):
        batch = Batch(outputs[part], np.eye(2, dtype=np.float32)[truths[part]], 3)
        score.add(batch, outputs[part], outputs[part])
    found = outputs.argmax(-1)
    expected = 2 * (found * truths).sum() / (found.sum() + truths.sum())
    assert score.results() == {"dice": pytest.approx(expected, abs=1e-6)}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (np.full((2, 4), np.nan, np.float32), "its output holds NaN or infinity"),
        (np.zeros((2, 3), np.float32), r"its output has the shape \(2, 3\), not \(2, 4\)"),
        (None, "ValueError: no such operation"),
    ],
)
def test_an_engine_that_gives_nothing_sensible_is_refused(
    output: np.ndarray | None, reason: str
) -> None:
    class Broken:
        def run(self, batch: np.ndarray) -> np.ndarray:
            if output is None:
                raise ValueError("no such operation")
            return output

    candidate = _Candidate(Broken(), score=None)  # type: ignore[arg-type]
    for _ in range(2):
        candidate.add(Batch(np.zeros((2, 1), np.float32), np.zeros(2), 2), np.zeros((2, 4)))
    assert re.fullmatch(reason, candidate.refused)
