"""Sessions of inference: every family, both layouts, cancelled and begun again."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.data.source import SampleFile, write_samples
from dlae_core.detection.decoding import Decoder
from dlae_core.errors import InvalidImage, TrainingCancelled, UnusableDataset, WeightsNotFound
from dlae_core.events import Event, InferenceStarted, SamplesPredicted
from dlae_core.inference import check_session, infer
from dlae_core.prediction import Predictor
from tests.dlae_core.inference.models import (
    bundle,
    names,
    network,
    read_all,
    session,
    write_images,
)

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {family: bundle(folder / family, family) for family in ("CNN", "FCN", "BBD", "GAN")}


def _never() -> bool:
    return False


def _infer(config: Any, work: Path) -> tuple[Path, list[Event]]:
    told: list[Event] = []
    return infer(config, work, told.append, _never), told


@pytest.mark.parametrize(
    ("family", "told_as"), [("CNN", "CNN"), ("FCN", "FCN"), ("GAN", "pix2pix")]
)
def test_every_sample_is_predicted_under_its_own_name(
    family: str, told_as: str, models: dict[str, Path], tmp_path: Path
) -> None:
    images = write_images(tmp_path)
    path, told = _infer(session(tmp_path, family, models[family]), tmp_path / "work")
    assert path == tmp_path / "work" / "results" / "predictions.h5"
    found = read_all(path)
    assert sorted(found, key=int) == names()
    # The preparation is the bundle's: each image to 0..1.
    lows, highs = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    prepared = ((images - lows.astype(np.float64)) / (highs - lows)).astype(np.float32)
    expected = np.asarray(network(family)(prepared))
    alike = np.stack([found[name] for name in names()])
    assert alike.dtype == np.float32
    np.testing.assert_allclose(alike, expected, atol=1e-5)
    ours = np.asarray(Predictor(models[family]).predict(images), np.float32)
    np.testing.assert_allclose(alike, ours, atol=1e-6)
    assert told[0] == InferenceStarted(7, told_as, "tensorflow")
    assert told[1:] == [SamplesPredicted(done, 7) for done in (3, 6, 7)]
    with SampleFile(path) as file:
        assert file.names == tuple(names())


def test_boxes_are_rows_of_six_and_none_are_no_rows(
    models: dict[str, Path], tmp_path: Path
) -> None:
    images = write_images(tmp_path, 2)
    # Of nothing, object and background are equally probable: 0.5, not above.
    write_samples(tmp_path / "X.h5", [("3", images[0]), ("20", np.zeros((8, 8, 1), np.uint8))])
    path, _ = _infer(session(tmp_path, "BBD", models["BBD"]), tmp_path / "work")
    found = read_all(path)
    # Each image to 0..1, by the network and the decoder alone.
    low, high = images[0].min(), images[0].max()
    prepared = ((images[:1] - float(low)) / (high - low)).astype(np.float32)
    options = session(tmp_path, "BBD", models["BBD"]).bbd_options
    output = np.asarray(network("BBD")(prepared))[0]
    expected = Decoder.from_options(options, (8, 8)).boxes(output)
    assert len(expected) > 0
    assert found["3"].dtype == np.float32
    np.testing.assert_allclose(found["3"], expected, atol=1e-3)
    assert found["20"].shape == (0, 6)


def test_what_a_session_changes_of_prediction_and_decoding_counts(
    models: dict[str, Path], tmp_path: Path
) -> None:
    write_images(tmp_path, 2)
    few = session(tmp_path, "BBD", models["BBD"], bbd_options__top_k=4)
    for boxes in read_all(_infer(few, tmp_path / "few")[0]).values():
        assert boxes.shape == (4, 6)
    plain = session(tmp_path, "FCN", models["FCN"])
    turned = session(tmp_path, "FCN", models["FCN"], prediction__flips=[0])
    expected, found = (
        read_all(_infer(config, tmp_path / "work")[0])["3"] for config in (plain, turned)
    )
    assert np.abs(found - expected).max() > 1e-3
    own = Predictor(models["FCN"])
    assert own.options.flips == ()
    with SampleFile(tmp_path / "X.h5") as file:
        image = file.read("3")[np.newaxis]
    mirrored = own.predict(image[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(found, (expected + mirrored[0]) / 2, atol=1e-5)


def test_the_old_layout_has_the_old_names(models: dict[str, Path], tmp_path: Path) -> None:
    write_images(tmp_path)
    old = {"save_configurations__legacy_predictions_switch": True}
    config = session(tmp_path, "FCN", models["FCN"], **old)
    path, _ = _infer(config, tmp_path / "old")
    stamp = r"date_\d{4}_\d\d_\d\d_time_\d\d_\d\d_\d\d\.h5"
    assert re.fullmatch(f"fcn_predictions_{stamp}", path.name)
    new = read_all(_infer(session(tmp_path, "FCN", models["FCN"]), tmp_path / "new")[0])
    found = read_all(path)
    assert set(found) == {"predictions", "names"}
    assert [name.decode() for name in found["names"]] == names()
    assert found["predictions"].dtype == np.float32
    np.testing.assert_array_equal(found["predictions"], np.stack([new[name] for name in names()]))
    path, _ = _infer(session(tmp_path, "GAN", models["GAN"], **old), tmp_path / "old")
    assert re.fullmatch(f"gan_predictions_{stamp}", path.name)
    config = session(tmp_path, "BBD", models["BBD"], **old)
    path, _ = _infer(config, tmp_path / "old")
    assert re.fullmatch(f"bbd_predictions_{stamp}", path.name)
    assert sorted(read_all(path), key=int) == [str(number) for number in range(7)]
    with SampleFile(path) as file:
        assert [file.attribute(str(at), "name") for at in range(7)] == names()


def test_larger_images_of_several_sizes_are_predicted_per_pixel(
    models: dict[str, Path], tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    images = {str(at): random.random((8 + 4 * (at // 2), 9, 1)) for at in range(4)}
    write_samples(tmp_path / "X.h5", images.items())
    path, told = _infer(session(tmp_path, "FCN", models["FCN"]), tmp_path / "work")
    predictor = Predictor(models["FCN"])
    for name, output in read_all(path).items():
        expected = predictor.predict(images[name][np.newaxis])[0]
        np.testing.assert_allclose(output, expected, atol=1e-6)
    # One batch per size.
    assert [event.samples_done for event in told[1:]] == [2, 4]  # type: ignore[union-attr]
    old = {"save_configurations__legacy_predictions_switch": True}
    with pytest.raises(InvalidImage, match=r"one shape .* \(12, 9, 3\) for sample '2'"):
        _infer(session(tmp_path, "FCN", models["FCN"], **old), tmp_path / "old")
    assert list((tmp_path / "old" / "results").iterdir()) == []


def test_an_interrupted_session_goes_on_after_its_last_part(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path)
    for old in (False, True):
        switch = {"save_configurations__legacy_predictions_switch": old}
        config = session(tmp_path, "FCN", models["FCN"], **switch)
        whole = read_all(_infer(config, tmp_path / f"whole{old}")[0])
        # Every batch is a part of its own.
        monkeypatch.setattr("dlae_core.inference.session.PART_SECONDS", -1.0)
        work, told = tmp_path / f"torn{old}", list[Event]()
        with pytest.raises(TrainingCancelled):
            infer(config, work, told.append, lambda: len(told) == 3)  # noqa: B023 - called at once
        assert {path.name for path in (work / "parts").iterdir()} == {"fingerprint", "0.h5", "3.h5"}
        # What a process left that was killed while it wrote.
        (work / "parts" / "6.h5").write_bytes(b"half")
        path, told = _infer(config, work)
        assert [event.samples_done for event in told[1:]] == [6, 7]  # type: ignore[union-attr]
        found = read_all(path)
        assert found.keys() == whole.keys()
        for name in whole:
            np.testing.assert_array_equal(found[name], whole[name])
        assert not (work / "parts").exists()
        monkeypatch.undo()


def test_parts_of_another_session_are_not_gone_on_with(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlae_core.inference.session.PART_SECONDS", -1.0)
    write_images(tmp_path)
    config = session(tmp_path, "FCN", models["FCN"])
    told: list[Event] = []
    with pytest.raises(TrainingCancelled):
        infer(config, tmp_path / "work", told.append, lambda: len(told) == 3)
    write_images(tmp_path, 5)
    _, told = _infer(config, tmp_path / "work")
    assert [event.samples_done for event in told[1:]] == [3, 5]  # type: ignore[union-attr]


def test_a_session_is_cancelled_between_batches_and_begins_anew(
    models: dict[str, Path], tmp_path: Path
) -> None:
    write_images(tmp_path)
    config = session(tmp_path, "CNN", models["CNN"])
    told: list[Event] = []
    with pytest.raises(TrainingCancelled):
        infer(config, tmp_path / "work", told.append, lambda: len(told) == 3)
    assert told[-1] == SamplesPredicted(6, 7)
    results = tmp_path / "work" / "results"
    assert list(results.iterdir()) == []
    # What a process left that was killed.
    (results / ".predictions.h5.abc").write_bytes(b"half")
    path, _ = _infer(config, tmp_path / "work")
    assert [one.name for one in results.iterdir()] == [path.name]
    assert len(read_all(path)) == 7


def test_samples_that_do_not_suit_the_model_are_named_before_any_is_predicted(
    models: dict[str, Path], tmp_path: Path
) -> None:
    write_images(tmp_path, 2)
    with SampleFile(tmp_path / "X.h5") as file:
        kept = [(name, file.read(name)) for name in file.names]
    wrong = [("9", np.zeros((8, 8, 2))), ("11", np.zeros((9, 8, 1))), ("13", np.zeros(3))]
    write_samples(tmp_path / "X.h5", [*kept, *wrong])
    config = session(tmp_path, "CNN", models["CNN"])
    with pytest.raises(UnusableDataset) as caught:
        _infer(config, tmp_path / "work")
    assert [problem.split(":")[1] for problem in caught.value.problems] == [
        " sample '9'",
        " sample '11'",
        " sample '13'",
    ]
    report = check_session(config)
    assert {row.path for row in report.violations} == {"paths.test_X"}
    assert len(report.violations) == 3


def test_a_sample_without_numbers_is_named(models: dict[str, Path], tmp_path: Path) -> None:
    write_samples(tmp_path / "X.h5", [("4", np.full((8, 8, 1), np.nan))])
    with pytest.raises(InvalidImage, match=r"sample '4' of X\.h5: expected finite"):
        _infer(session(tmp_path, "CNN", models["CNN"]), tmp_path / "work")


def test_the_check_tells_of_model_and_images_at_once(tmp_path: Path) -> None:
    config = session(tmp_path, "CNN", tmp_path / "nothing.keras")
    with pytest.raises(WeightsNotFound):
        _infer(config, tmp_path / "work")
    report = check_session(config)
    assert [row.path for row in report.violations] == ["paths.load_model", "paths.test_X"]


def test_the_check_of_a_good_session_finds_nothing(models: dict[str, Path], tmp_path: Path) -> None:
    write_images(tmp_path)
    report = check_session(session(tmp_path, "FCN", models["FCN"]))
    assert (report.violations, report.warnings) == ((), ())
