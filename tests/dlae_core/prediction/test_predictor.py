"""A model applied to images of its own size and larger ones, by every engine."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import ndimage

from dlae_core.config import load_config
from dlae_core.engines.choice import ENGINES
from dlae_core.errors import InvalidImage, InvalidOptions
from dlae_core.graph import build_network
from dlae_core.layers.language import parse_layer
from dlae_core.prediction import Options, Predictor
from dlae_core.tiling import Tiling
from tests.dlae_core.prediction.bundles import with_random_weights, write_bundle
from tests.sessions import CNN_LAYERS, config_text

pytestmark = pytest.mark.keras

# A field of view of one pixel on each side.
NEAR = ["Convolution 2D:4:(3, 3)", "Activation:relu", "Convolution 2D:3:(1, 1)"]
LAYERS = ["Input:(16, 16, 1)", *NEAR, "Activation:softmax"]
NORMALIZED = {
    "preprocessing__normalization_type": "samplewise_unity_x",
    "preprocessing__categories": 3,
    "preprocessing__categorical_switch": True,
}


def _model(layers: list[str]) -> keras.Model:
    return with_random_weights(
        build_network([parse_layer(text) for text in layers], "layers").model
    )


def _bundle(folder: Path, layers: list[str], family: str, classes: int) -> Path:
    settings = {**NORMALIZED, "layers__serial_layer_list": layers}
    if family == "CNN":
        settings["preprocessing__categories"] = classes or 2
    config = load_config(config_text(folder, family, **settings)).config
    return write_bundle(folder / "bundle", config, _model(layers), family=family, classes=classes)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _bundle(tmp_path_factory.mktemp("fcn"), LAYERS, "FCN", 3)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _bundle(tmp_path_factory.mktemp("cnn"), CNN_LAYERS, "CNN", 2)


@pytest.fixture(scope="module")
def placer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _bundle(tmp_path_factory.mktemp("places"), CNN_LAYERS, "CNN", 0)


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 4000, shape).astype(np.uint16)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_predicts_what_keras_does(engine: str, segmenter: Path) -> None:
    predictor = Predictor(segmenter, engine, threads=1)
    assert predictor.engine == engine
    predictor.warm_up()
    images = _images(3, 16, 16, 1)
    lows, highs = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    prepared = (images - lows.astype(np.float64)) / (highs - lows)
    expected = np.asarray(_model(LAYERS)(prepared.astype(np.float32)))
    np.testing.assert_allclose(predictor.predict(images), expected, atol=1e-5)
    np.testing.assert_array_equal(predictor.predict(images, labels=True), expected.argmax(-1))
    assert predictor.predict(images[:0]).shape == (0, 16, 16, 3)


def test_openvino_serves_by_default_and_loads_no_tensorflow(segmenter: Path) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from dlae_core.prediction import Predictor\n"
        "predictor = Predictor(Path(sys.argv[1]))\n"
        "predictor.predict(np.zeros((1, 40, 16)))\n"
        "heavy = ('keras', 'tensorflow', 'scipy', 'cv2', 'openvino_telemetry.main')\n"
        "print(predictor.engine, [name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(segmenter)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino []"


@pytest.mark.parametrize("weights", ["gaussian", "average"])
def test_a_larger_image_is_predicted_as_a_larger_network_would(
    segmenter: Path, weights: str
) -> None:
    predictor = Predictor(segmenter)
    images = _images(2, 45, 30, 1)
    larger = _model(["Input:(45, 30, 1)", *LAYERS[1:]])
    # Normalized as a whole, not by tiles.
    lows, highs = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    prepared = (images - lows.astype(np.float64)) / (highs - lows)
    expected = np.asarray(larger(prepared.astype(np.float32)))
    options = Options(Tiling(0.5, weights, tiles=2))
    np.testing.assert_allclose(predictor.predict(images, options=options), expected, atol=1e-5)
    found = predictor.predict(images[..., 0], labels=True, options=options)
    assert found.dtype == np.uint8
    assert (found == expected.argmax(-1)).mean() > 0.999
    assert predictor.predict(images[:0]).shape == (0, 45, 30, 3)


def test_mirror_images_are_averaged(segmenter: Path) -> None:
    predictor = Predictor(segmenter)
    images = _images(1, 20, 16, 1)
    turned = predictor.predict(images[:, :, ::-1])[:, :, ::-1]
    expected = (predictor.predict(images) + turned) / 2
    found = predictor.predict(images, options=Options(flips=(1,)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_labels_are_cleaned_where_asked_for(segmenter: Path) -> None:
    predictor = Predictor(segmenter)
    images = _images(1, 30, 30, 1)
    plain = predictor.predict(images, labels=True)
    clean = predictor.predict(images, labels=True, options=Options(largest=True, fill=True))
    for number in range(1, 3):
        assert ndimage.label(plain[0] == number)[1] > 1
        assert ndimage.label(clean[0] == number)[1] == 1
    output = predictor.predict(images)
    high = predictor.predict(images, labels=True, options=Options(threshold=0.5))
    np.testing.assert_array_equal(high > 0, (output[..., 1:] >= 0.5).any(-1))


def test_outputs_per_image_want_images_of_the_networks_size(classifier: Path) -> None:
    predictor = Predictor(classifier)
    assert predictor.predict(_images(2, 8, 8, 1), options=Options(flips=(0, 1))).shape == (2, 2)
    with pytest.raises(InvalidImage, match=r"\(batch, 8, 8, 1\), got \(2, 9, 8, 1\)"):
        predictor.predict(_images(2, 9, 8, 1))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 15, 40, 1), "or larger"), ((1, 16, 16, 2), r"\(batch, 16, 16, 1\)"), ((16,), "batch")],
)
def test_images_that_are_too_small_or_of_other_channels_are_refused(
    segmenter: Path, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InvalidImage, match=message):
        Predictor(segmenter).predict(_images(*shape))


@pytest.mark.parametrize("axes", [(2,), (-1,), (0, 0)])
def test_axes_that_cannot_be_flipped_are_refused(segmenter: Path, axes: tuple[int, ...]) -> None:
    with pytest.raises(InvalidOptions, match="different axes"):
        Predictor(segmenter).predict(_images(1, 16, 16, 1), options=Options(flips=axes))


def test_places_are_not_averaged_over_mirror_images(placer: Path) -> None:
    with pytest.raises(InvalidOptions, match="leave the flips out"):
        Predictor(placer).predict(_images(1, 8, 8, 1), options=Options(flips=(0,)))


def test_the_differences_to_keras_are_kept_with_the_model(segmenter: Path) -> None:
    engines = json.loads((segmenter / "manifest.json").read_text())["engines"]
    assert set(engines) == {"openvino", "onnxruntime"}
    for facts in engines.values():
        assert facts["file"] == "model.onnx"
        assert 0 <= facts["largest_difference"] < 1e-5
        assert facts["samples"] == 2
