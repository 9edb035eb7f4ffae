"""Every engine gives what Keras gives, for every kind of layer and network."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.bundle import Bundle, Manifest
from dlae_core.engines import choice, exporting
from dlae_core.engines.choice import ENGINES, choose_engine, load_engine
from dlae_core.engines.exporting import difference, export_engines, real_samples
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact
from tests.dlae_core.engines.networks import (
    DEPTHWISE_VOLUMES,
    GENERATOR,
    PLANES,
    VOLUMES,
    detector,
    images,
    network,
)
from tests.dlae_core.test_bundle import FACTS

pytestmark = pytest.mark.keras


def _manifest(engines: dict[str, Any]) -> Manifest:
    return Manifest(format=1, files={}, engines=engines, **FACTS)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("planes", "model.onnx"),
        ("volumes", "model.onnx"),
        ("depthwise volumes", "model.xml"),
        ("generator", "model.onnx"),
        ("detector", "model.onnx"),
    ],
)
def test_engines_agree_with_keras_for_any_batch_size(name: str, file: str, tmp_path: Path) -> None:
    lists = {
        "planes": PLANES,
        "volumes": VOLUMES,
        "depthwise volumes": DEPTHWISE_VOLUMES,
        "generator": GENERATOR,
    }
    model = network(lists[name]) if name in lists else detector()
    found = export_engines(tmp_path, model, images(model, 2))
    assert found["openvino"]["file"] == file, found
    assert ("file" in found["onnxruntime"]) == (file == "model.onnx"), found
    assert (tmp_path / "model.onnx").exists() == (file == "model.onnx")
    for engine in ("openvino", "onnxruntime"):
        if "refused" in found[engine]:
            continue
        loaded = load_engine(tmp_path, _manifest(found), engine, threads=1)
        for count in (1, 5, 3):
            some = images(model, count, seed=count)
            expected = np.asarray(model(some, training=False))
            np.testing.assert_allclose(loaded.run(some), expected, rtol=1e-4, atol=1e-5)


def test_a_result_is_not_overwritten_by_the_next(tmp_path: Path) -> None:
    model = network(GENERATOR)
    found = export_engines(tmp_path, model, images(model, 1))
    for engine in ("openvino", "onnxruntime"):
        loaded = load_engine(tmp_path, _manifest(found), engine, None)
        first = loaded.run(images(model, 1))
        before = first.copy()
        loaded.run(images(model, 1, seed=9))
        np.testing.assert_array_equal(first, before)


def test_difference_is_measured_against_the_channel_and_never_against_almost_nothing() -> None:
    expected = np.float32([[300, 0.5, 0], [-100, 0.25, 0]])
    output = expected + np.float32([[3, 0, 0], [0, 0, 0]])
    assert difference(output, expected) == pytest.approx(0.01)
    output = expected + np.float32([[0, 0, 0.02], [0, 0, 0]])
    assert difference(output, expected) == pytest.approx(0.02)
    assert difference(output / 1000, expected / 1000) == pytest.approx(0.02 / 300, rel=1e-3)
    assert np.isnan(difference(output * np.nan, expected))


def test_an_engine_beyond_the_tolerance_is_refused_and_its_file_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    model = network(GENERATOR)
    found = export_engines(tmp_path, model, images(model, 1))
    assert all("differs from Keras'" in found[name]["refused"] for name in found)
    assert list(tmp_path.iterdir()) == []
    assert choose_engine(_manifest(found)) == "tensorflow"
    with pytest.raises(IncompatibleArtifact, match="refused when the model was trained: its"):
        choose_engine(_manifest(found), "openvino")


def test_a_failed_export_is_recorded_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: keras.Model, path: Path) -> None:
        path.write_bytes(b"half")
        raise AssertionError("no such operation")

    form = exporting.Form("model.onnx", (), broken, ("openvino", "onnxruntime"), 1)
    monkeypatch.setattr(exporting, "FORMS", (form,))
    model = network(GENERATOR)
    found = export_engines(tmp_path, model, images(model, 1))
    assert found["openvino"] == {"refused": "AssertionError: no such operation"}
    assert list(tmp_path.iterdir()) == []


def test_the_fastest_engine_that_is_installed_and_agrees_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fine, refused = {"file": "model.onnx"}, {"refused": "it differs"}
    assert choose_engine(_manifest({"openvino": fine, "onnxruntime": fine})) == "openvino"
    assert choose_engine(_manifest({"openvino": refused, "onnxruntime": fine})) == "onnxruntime"
    assert choose_engine(_manifest({})) == "tensorflow"
    assert choose_engine(_manifest({"openvino": fine}), "tensorflow") == "tensorflow"
    monkeypatch.setattr(choice, "installed", lambda name: name != "openvino")
    assert choose_engine(_manifest({"openvino": fine})) == "tensorflow"
    with pytest.raises(IncompatibleArtifact, match="not installed here; use tensorflow"):
        choose_engine(_manifest({"openvino": fine}), "openvino")
    with pytest.raises(IncompatibleArtifact, match="no engine of this name"):
        choose_engine(_manifest({}), "magic")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_file_is_named(engine: str, tmp_path: Path) -> None:
    for name in ("model.onnx", "model.keras"):
        (tmp_path / name).write_bytes(b"no model")
    manifest = _manifest({name: {"file": "model.onnx"} for name in ENGINES})
    with pytest.raises(CorruptArtifact, match=r"model\.(onnx|keras) cannot be loaded"):
        load_engine(tmp_path, manifest, engine, None)


class _Batches:
    """A pipeline of three batches of three."""

    def __init__(self) -> None:
        self.images = np.arange(9, dtype=np.float32).reshape(3, 3, 1)

    def batches(self, epoch: int) -> Any:
        class One:
            def __init__(self, images: np.ndarray) -> None:
                self.images = images

        yield from map(One, self.images)


def test_some_samples_are_compared_and_large_ones_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    assert real_samples(_Batches())[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]  # type: ignore[arg-type]
    monkeypatch.setattr(exporting, "SAMPLE_BYTES", 2)
    assert real_samples(_Batches())[:, 0].tolist() == [0]  # type: ignore[arg-type]


def test_a_bundle_from_before_there_were_engines_is_served_by_tensorflow(tmp_path: Path) -> None:
    values = json.loads(_manifest({}).to_json())
    del values["engines"]
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    manifest = Bundle.open(tmp_path).manifest
    assert manifest.engines == {}
    assert choose_engine(manifest) == "tensorflow"


def test_a_network_that_cannot_be_written_in_memory_is_left_to_the_next_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(GENERATOR)
    # Enough for the second form, not for the first.
    monkeypatch.setattr(exporting, "_available_bytes", lambda: 10 * 4 * model.count_params())
    found = export_engines(tmp_path, model, images(model, 1))
    assert "are free" in found["onnxruntime"]["refused"]
    assert found["openvino"]["file"] == "model.xml"
