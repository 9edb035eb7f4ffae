"""A model is predicted with in the precisions that it was accepted in, and in no others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae.v1.prediction_pb2 import OUTPUT_KIND_OUTPUT, PredictOptions
from dlae_core.config import load_config, resolve_config
from dlae_core.engines import loaded, precisions
from dlae_core.engines.loaded import Engines
from dlae_core.engines.precisions import PRECISIONS, precision_obstacle, wanted_precisions
from dlae_core.engines.quantizing import write_int8
from dlae_core.errors import InvalidOptions
from dlae_core.prediction import Predictor
from dlae_core.prediction.description import describe
from dlae_core.prediction.options import changed
from tests.dlae_core.engines.networks import PLANES, images, network
from tests.dlae_core.engines.test_engines import _manifest as plain_manifest
from tests.dlae_core.prediction.bundles import write_bundle
from tests.sessions import config_text

pytestmark = pytest.mark.keras

FINE = {"openvino": {"file": "model.onnx"}, "onnxruntime": {"file": "model.onnx"}}
ACCEPTED = {"engine": "openvino", "file": "model.onnx"}


def _manifest(**found: dict[str, Any]) -> Any:
    manifest = plain_manifest(FINE)
    manifest.precisions.update(found)
    return manifest


def test_what_the_switches_and_the_models_own_precision_want() -> None:
    config = resolve_config(Config())
    assert wanted_precisions(config) == ()
    config.prediction.precision = "int8"
    assert wanted_precisions(config) == ("int8",)
    config.save_configurations.bfloat16_switch = True
    assert wanted_precisions(config) == ("bfloat16", "int8")


@pytest.mark.parametrize(
    ("found", "engine", "words"),
    [
        (None, None, "was not tried in"),
        ({"refused": "its dice falls"}, None, "refused when the model was trained: its dice falls"),
        (ACCEPTED, "tensorflow", "accepted in for openvino only, and this server uses tensorflow"),
        ({"engine": "os", "file": "x"}, None, "names no known engine"),
        ({"engine": "onnxruntime", "file": "x"}, None, "is not installed here"),
        (ACCEPTED, None, "has no instructions for"),
    ],
)
def test_a_precision_that_cannot_be_had_is_refused_with_the_reason(
    found: dict[str, Any] | None, engine: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precisions, "installed", lambda name: name != "onnxruntime")
    monkeypatch.setattr(precisions, "calculates", lambda engine, precision: False)
    manifest = _manifest(**({} if found is None else {"bfloat16": found}))
    assert words in precision_obstacle(manifest, "bfloat16", engine)
    assert precision_obstacle(manifest, "float32", engine) == ""
    engines = Engines(Path(), manifest, engine, None)
    assert engines.precisions == ("float32",)
    with pytest.raises(InvalidOptions, match=f"expected the precision float32, got .*{words}"):
        engines.of("bfloat16")


def test_engines_are_loaded_when_they_are_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precisions, "calculates", lambda engine, precision: True)
    seen: list[str] = []
    monkeypatch.setattr(loaded, "_load", lambda *given: seen.append(given[2]))
    engines = Engines(Path(), _manifest(int8=ACCEPTED, bfloat16=ACCEPTED), None, None)
    assert sorted(engines.precisions) == sorted(PRECISIONS)
    assert seen == []
    engines.of("int8")
    engines.of("int8")
    assert seen == ["int8"]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A model that was accepted in int8, refused in bfloat16, and predicts in float32."""
    folder = tmp_path_factory.mktemp("precisions")
    model = network(PLANES)
    settings = {"layers__serial_layer_list": PLANES, "prediction__precision": "bfloat16"}
    text = config_text(folder, "FCN", preprocessing__categories=3, **settings)
    bundle = write_bundle(folder / "bundle", load_config(text).config, model, classes=3)
    write_int8(bundle / "model.onnx", bundle / "int8.onnx", images(model, 4))
    found = _manifest(
        int8={"engine": "openvino", "file": "int8.onnx"}, bfloat16={"refused": "its dice falls"}
    ).precisions
    path = bundle / "manifest.json"
    path.write_text(
        path.read_text().replace('"precisions": {}', f'"precisions": {json.dumps(found)}')
    )
    return Predictor(bundle)


def test_a_request_names_its_precision_and_is_told_what_was_done(predictor: Predictor) -> None:
    raw = np.random.default_rng(1).normal(0, 1, (2, 16, 12, 2)).astype(np.float32)
    asked = changed(predictor.options, PredictOptions(precision="int8"))
    plain, reduced = predictor.predict(raw), predictor.predict(raw, options=asked)
    assert 1e-4 < np.abs(plain - reduced).max() < 0.5
    told = describe(predictor, OUTPUT_KIND_OUTPUT, raw.shape, asked)
    assert (told.engine, told.precision) == ("openvino", "int8")
    with pytest.raises(InvalidOptions, match="float32 or int8, got bfloat16, which was refused"):
        predictor.predict(raw, options=changed(asked, PredictOptions(precision="bfloat16")))
    with pytest.raises(InvalidOptions, match="one of float32, bfloat16, int8, got 'int4'"):
        changed(asked, PredictOptions(precision="int4"))


def test_a_model_whose_own_precision_was_refused_predicts_in_float32(predictor: Predictor) -> None:
    assert predictor.options.precision == "float32"
    assert predictor.config.prediction.precision == "float32"
