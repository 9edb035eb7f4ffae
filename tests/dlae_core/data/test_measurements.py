"""Measurements: one pass, the same for any number of threads, once for equal data."""

from pathlib import Path

import numpy as np
import pytest

from dlae_core.data.keeping import Memory
from dlae_core.data.measurements import Measurements
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Resources
from dlae_core.data.source import SampleFile, write_samples
from tests.dlae_core.data.preparing import preprocessing_of

HASHES = {"train_X": {"sha256": "1" * 64}, "train_y": {"sha256": "2" * 64}}
NAMES = ("0", "1", "2", "3", "4", "5")


@pytest.fixture
def file(tmp_path: Path) -> SampleFile:
    random = np.random.default_rng(0)
    samples = [(name, random.integers(0, 3, (2, 3, 1)).astype(np.uint8)) for name in NAMES]
    write_samples(tmp_path / "X.h5", samples)
    return SampleFile(tmp_path / "X.h5")


def _settings() -> Preprocessing:
    return preprocessing_of((2, 3, 1), augmentation__featurewise_centering_switch=True)


def _numbers(annotation: np.ndarray) -> np.ndarray:
    return annotation[..., 0].astype(np.int32)


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_measurements_are_those_of_the_chosen_samples(file: SampleFile, threads: int) -> None:
    chosen = NAMES[1:]
    measurements = Measurements(chosen, HASHES, Resources(threads))
    pixels = np.concatenate([file.read(name).ravel() for name in chosen]).astype(np.float64)
    found = measurements.statistics(file, _settings())
    assert found.mean == pytest.approx([pixels.mean()], rel=1e-12)
    assert found.deviation == pytest.approx([pixels.std()], rel=1e-12)
    weights = measurements.class_weights(file, _numbers, 3)
    counts = np.bincount(pixels.astype(int), minlength=3)
    np.testing.assert_allclose(weights, pixels.size / (3 * counts))


def test_equal_data_are_measured_once(
    file: SampleFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    first = Measurements(NAMES, HASHES, Resources(2), folder)
    statistics = first.statistics(file, _settings())
    weights = first.class_weights(file, _numbers, 3)
    monkeypatch.delattr(SampleFile, "read")
    again = Measurements(NAMES, HASHES, Resources(0), folder)
    assert again.statistics(file, _settings()) == statistics
    np.testing.assert_array_equal(again.class_weights(file, _numbers, 3), weights)


def test_other_data_samples_and_settings_are_measured_again(
    file: SampleFile, tmp_path: Path
) -> None:
    resources, folder = Resources(1), tmp_path / "cache"
    changed = {**HASHES, "train_X": {"sha256": "3" * 64}}
    for names, hashes in ((NAMES, HASHES), (NAMES[1:], HASHES), (NAMES, changed)):
        Measurements(names, hashes, resources, folder).statistics(file, _settings())
    for classes in (3, 4):
        Measurements(NAMES, HASHES, resources, folder).class_weights(file, _numbers, classes)
    assert len(list(folder.iterdir())) == 5


def test_a_damaged_memory_is_measured_again(file: SampleFile, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    expected = Measurements(NAMES, HASHES, Resources(1)).statistics(file, _settings())
    for content in ("", "{}", "[1]", '{"key": "other", "values": {"mean": [1]}}', "\0"):
        Measurements(NAMES, HASHES, Resources(1), folder).statistics(file, _settings())
        (kept,) = folder.iterdir()
        kept.write_text(content)
        found = Measurements(NAMES, HASHES, Resources(1), folder).statistics(file, _settings())
        assert found == expected


def test_a_folder_that_cannot_be_written_is_no_failure(file: SampleFile, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    measurements = Measurements(NAMES, HASHES, Resources(1, Memory(0)), tmp_path / "cache")
    assert isinstance(measurements.statistics(file, _settings()), Statistics)
