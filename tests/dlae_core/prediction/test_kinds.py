"""Detectors, generators and regressions: what they give, and what is kept with them."""

from typing import Any

import keras
import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae.v1.prediction_pb2 import (
    OUTPUT_KIND_BOXES,
    OUTPUT_KIND_LABELS,
    OUTPUT_KIND_OUTPUT,
    PredictOptions,
)
from dlae_core.detection.decoding import Decoder
from dlae_core.errors import InvalidImage, InvalidOptions
from dlae_core.families.table import family_of
from dlae_core.prediction import Options, Predictor
from dlae_core.prediction.description import describe
from dlae_core.prediction.options import changed
from dlae_core.tiling import Tiling
from tests.dlae_core.families.configurations import (
    JUDGE,
    PER_PIXEL,
    TRANSLATION,
    detector,
    gan,
    supervised,
)
from tests.dlae_core.prediction.bundles import with_random_weights, write_bundle

pytestmark = pytest.mark.keras


def _network(config: Config, scale: float = 1.0) -> keras.Model:
    return with_random_weights(family_of(config).networks(config)[0].model, scale)


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, keras.Model, Predictor]:
    config = detector(number_classes=2, confidence_threshold=0.3, top_k=6)
    model = _network(config, 0.05)
    folder = tmp_path_factory.mktemp("detector") / "bundle"
    return config, model, Predictor(write_bundle(folder, config, model, family="BBD", classes=0))


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Predictor]:
    config = gan("pix2pix", TRANSLATION, JUDGE)
    config.preprocessing.normalization_type = "global_negpos_xy"
    config.preprocessing.minimum_image_intensity[:] = [0, -1000]
    config.preprocessing.maximum_image_intensity[:] = [255, 3000]
    model = _network(config)
    folder = tmp_path_factory.mktemp("gan") / "bundle"
    return model, Predictor(write_bundle(folder, config, model, family="pix2pix", classes=0))


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    config = supervised("FCN", PER_PIXEL, preprocessing={"categorical_switch": True})
    config.prediction.labels_switch = True
    config.prediction.threshold = 0.75
    config.prediction.flips[:] = [1]
    folder = tmp_path_factory.mktemp("fcn") / "bundle"
    return Predictor(write_bundle(folder, config, _network(config), family="FCN", classes=2))


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, shape).astype(np.uint8)


def _scaled(images: np.ndarray) -> np.ndarray:
    axes = tuple(range(1, images.ndim))
    low, high = images.min(axes, keepdims=True), images.max(axes, keepdims=True)
    return ((images - low.astype(np.float64)) / (high - low)).astype(np.float32)


def test_a_detector_gives_the_boxes_that_its_output_means(
    finder: tuple[Config, keras.Model, Predictor],
) -> None:
    config, model, predictor = finder
    assert predictor.outputs == "boxes"
    images = _images(3, 8, 8, 1)
    decoder = Decoder.from_options(config.bbd_options, (8, 8))
    expected = [decoder.boxes(output) for output in np.asarray(model(_scaled(images)))]
    for options in (None, Options(together=2)):
        found = predictor.boxes(images, options)
        assert len(found) == 3
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == np.float32
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert predictor.predict(images).shape == (3, *model.output_shape[1:])
    assert predictor.boxes(images[:0]) == []


def test_a_request_may_want_more_probable_boxes_than_the_model(
    finder: tuple[Config, keras.Model, Predictor],
) -> None:
    predictor, images = finder[2], _images(1, 8, 8, 1)
    (own,) = predictor.boxes(images)
    least = float(own[len(own) // 2, 1])
    asked = changed(predictor.options, PredictOptions(confidence_threshold=least))
    (found,) = predictor.boxes(images, asked)
    assert 0 < len(found) < len(own)
    assert (found[:, 1] > least).all()


def test_boxes_of_a_larger_image_are_those_of_its_tiles(
    finder: tuple[Config, keras.Model, Predictor],
) -> None:
    predictor = finder[2]
    image = _images(1, 8, 16, 1)
    # Both tiles hold the whole range, so that each alone is prepared as the image is.
    image[0, 0, [0, 8]], image[0, 0, [7, 15]] = 0, 255
    (found,) = predictor.boxes(image, Options(Tiling(0)))
    left, right = (predictor.boxes(image[:, :, start : start + 8])[0] for start in (0, 8))
    right = right + np.float32([0, 0, 8, 0, 8, 0])
    centres = (found[:, 2] + found[:, 4]) / 2
    assert len(found) == 6
    assert (np.diff(found[:, 1]) <= 0).all()
    for row, centre in zip(found, centres, strict=True):
        tile = left if centre < 8 else right
        assert np.isclose(tile, row, atol=1e-4).all(axis=1).any()


def test_boxes_of_a_resized_image_are_in_its_own_pixels(
    finder: tuple[Config, keras.Model, Predictor],
) -> None:
    predictor, small = finder[2], _images(1, 8, 8, 1)
    large = small.repeat(2, 1).repeat(3, 2)
    (found,) = predictor.boxes(large, Options(resize=True))
    (expected,) = predictor.boxes(small)
    assert found.shape[1] == 6
    assert len(expected)
    assert found[:, 4].max() > 8


def test_a_detector_refuses_flips_and_others_refuse_boxes(
    finder: tuple[Config, keras.Model, Predictor], segmenter: Predictor
) -> None:
    with pytest.raises(InvalidOptions, match="leave the flips out"):
        finder[2].boxes(_images(1, 8, 8, 1), Options(flips=(0,)))
    with pytest.raises(InvalidImage, match="got a model of classes"):
        segmenter.boxes(_images(1, 8, 8, 1))
    with pytest.raises(InvalidImage, match="got a model of boxes"):
        finder[2].predict(_images(1, 8, 8, 1), labels=True)


def test_a_generator_gives_images_in_the_units_of_the_annotations(
    translator: tuple[keras.Model, Predictor],
) -> None:
    model, predictor = translator
    assert predictor.outputs == "values"
    images = _images(2, 8, 8, 1)
    normalized = np.asarray(model((images / 127.5 - 1).astype(np.float32)))
    found = predictor.predict(images)
    np.testing.assert_allclose(found, (normalized + 1) / 2 * 4000 - 1000, atol=0.05)
    plain = predictor.predict(images, options=Options(units=False))
    np.testing.assert_allclose(plain, normalized, atol=1e-5)


def test_a_larger_image_is_translated_too(translator: tuple[keras.Model, Predictor]) -> None:
    predictor = translator[1]
    found = predictor.predict(_images(1, 20, 9, 1))
    assert found.shape == (1, 20, 9, 1)
    assert -1000 <= found.min() < found.max() <= 3000


def test_settings_kept_with_the_model_act_unless_a_request_says_otherwise(
    segmenter: Predictor,
) -> None:
    images = _images(2, 8, 8, 1)
    output = segmenter.predict(images, labels=False)
    turned = segmenter.predict(images[:, :, ::-1], labels=False)[:, :, ::-1]
    np.testing.assert_allclose(output, turned, atol=1e-5)
    kept = segmenter.predict(images)
    np.testing.assert_array_equal(kept, output[..., 1] >= 0.75)
    options = changed(segmenter.options, PredictOptions(most_probable=True))
    np.testing.assert_array_equal(segmenter.predict(images, options=options), output.argmax(-1))
    plain = segmenter.predict(images, labels=False, options=Options())
    assert not np.allclose(plain, output, atol=1e-3)


def test_resized_labels_have_the_size_of_the_image(segmenter: Predictor) -> None:
    small = _images(1, 8, 8, 1)
    found = segmenter.predict(small.repeat(2, 1), options=Options(resize=True, labels=True))
    assert (found.shape, found.dtype) == ((1, 16, 8), np.uint8)
    # Smaller than the network's input, too.
    options = Options(resize=True)
    assert segmenter.predict(small[:, :5, :6], labels=False, options=options).shape == (1, 5, 6, 2)


def test_what_is_done_is_described(
    finder: tuple[Config, keras.Model, Predictor],
    translator: tuple[keras.Model, Predictor],
    segmenter: Predictor,
) -> None:
    labels = describe(segmenter, OUTPUT_KIND_LABELS, (1, 20, 8, 1), segmenter.options)
    assert list(labels.preprocessing) == ["scale each image's minimum to maximum to 0..1"]
    assert list(labels.postprocessing) == ["most probable class but the background, from 0.75"]
    assert (labels.tiles, labels.mirror_images) == (4, 2)
    assert (labels.engine, labels.precision) == ("openvino", "float32")
    image = describe(translator[1], OUTPUT_KIND_OUTPUT, (1, 8, 8), Options())
    assert list(image.preprocessing) == ["scale 0..255 to -1..1"]
    assert list(image.postprocessing) == ["scale to the annotations' -1000..3000"]
    boxes = describe(finder[2], OUTPUT_KIND_BOXES, (1, 16, 8), Options(resize=True))
    assert boxes.preprocessing[0] == "resize from (16, 8) to (8, 8)"
    assert "boxes more probable than 0.3" in boxes.postprocessing
    assert len(finder[2].sha256) == 64


class _Counting:
    """An engine that notes how many images it is given at once."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.counts = engine, []

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.counts.append(len(batch))
        return self.engine.run(batch)


@pytest.mark.parametrize("space", [(8, 8), (20, 17), (12, 9)])
@pytest.mark.parametrize("resize", [False, True])
def test_a_setting_bounds_what_is_predicted_at_once(
    finder: tuple[Config, keras.Model, Predictor],
    segmenter: Predictor,
    monkeypatch: pytest.MonkeyPatch,
    space: tuple[int, int],
    resize: bool,
) -> None:
    images = _images(5, *space, 1)
    results = []
    for most in (1, 2, 64):
        asked = PredictOptions(images_at_once=most, resize_switch=resize)
        found: list[Any] = []
        for predictor in (segmenter, finder[2]):
            engine = _Counting(predictor._engine)
            with monkeypatch.context() as patch:
                patch.setattr(predictor, "_engine", engine)
                options = changed(predictor.options, asked)
                of_boxes = predictor.outputs == "boxes"
                found.append(
                    (predictor.boxes if of_boxes else predictor.predict)(images, options=options)
                )
            assert max(engine.counts) <= most
        results.append(found)
    for labels, boxes in results[1:]:
        np.testing.assert_array_equal(labels, results[0][0])
        for ours, theirs in zip(boxes, results[0][1], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
