"""Split, preparation and delivery of samples."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dlae.v1.config_pb2 import Augmentation
from dlae_core.config import read_config, resolve_config
from dlae_core.data.inspection import Expectation
from dlae_core.data.keeping import Memory
from dlae_core.data.normalization import Preprocessing, Statistics
from dlae_core.data.pipeline import Passes, Pipeline, Resources
from dlae_core.data.preparation import Preparation
from dlae_core.data.source import PairedFiles, SampleFile, write_samples
from dlae_core.data.targets import class_weights
from dlae_core.data.transforms import Variation
from dlae_core.errors import UnusableDataset
from tests.dlae_core.data.preparing import preparation_of

NAMES = tuple(map(str, range(10)))


def _preprocessing(statistics: Statistics | None = None, **settings: object) -> Preprocessing:
    sections: dict[str, dict[str, object]] = {
        "config_file": {"model_signal": "FCN"},
        "layers": {"serial_layer_list": ["Input:(2, 3, 1)"]},
    }
    for place, value in settings.items():
        section, _, key = place.partition("__")
        sections.setdefault(section, {})[key] = value
    config = resolve_config(read_config(json.dumps(sections)).config)
    return Preprocessing.from_config(config, statistics or Statistics())


IMAGE = np.array([[0, 10, 20], [30, 40, 50]], np.uint16)
VALUES = IMAGE.astype(np.float64)


@pytest.mark.parametrize(
    ("kind", "image", "annotation"),
    [
        ("samplewise_unity_x", VALUES / 50, VALUES),
        ("samplewise_negpos_x", VALUES / 25 - 1, VALUES),
        ("global_unity_x", (VALUES - 10) / 80, VALUES),
        ("global_negpos_x", (VALUES - 10) / 40 - 1, VALUES),
        ("samplewise_unity_xy", VALUES / 50, VALUES / 50),
        ("samplewise_negpos_xy", VALUES / 25 - 1, VALUES / 25 - 1),
        ("global_unity_xy", (VALUES - 10) / 80, VALUES / 100),
        ("global_negpos_xy", (VALUES - 10) / 40 - 1, VALUES / 50 - 1),
        ("none", VALUES, VALUES),
    ],
)
def test_normalizations_follow_their_formulas(
    kind: str, image: np.ndarray, annotation: np.ndarray
) -> None:
    preprocessing = _preprocessing(
        preprocessing__normalization_type=kind,
        preprocessing__minimum_image_intensity=[10, 0],
        preprocessing__maximum_image_intensity=[90, 100],
    )
    found = preprocessing.image(IMAGE)
    assert (found.shape, found.dtype) == ((2, 3, 1), np.float32)
    np.testing.assert_allclose(found[..., 0], image, atol=1e-6)
    target = preprocessing.annotation(IMAGE.astype(np.float32))
    np.testing.assert_allclose(target, annotation, atol=1e-6)


def test_a_flat_image_stays_as_it_is() -> None:
    flat = np.full((2, 3, 1), 7, np.int16)
    np.testing.assert_array_equal(_preprocessing().image(flat), np.full((2, 3, 1), 7.0))


def test_channels_are_repeated_in_place() -> None:
    preprocessing = _preprocessing(
        preprocessing__repeat_X_switch=True, preprocessing__normalization_type="none"
    )
    two = np.stack([np.zeros((2, 3)), np.ones((2, 3))], axis=-1)
    np.testing.assert_array_equal(preprocessing.image(two)[0, 0], [0, 0, 0, 1, 1, 1])


def test_samplewise_scaling_gives_mean_zero_and_deviation_one() -> None:
    found = _preprocessing(
        preprocessing__normalization_type="none",
        augmentation__samplewise_centering_switch=True,
        augmentation__samplewise_normalization_switch=True,
    ).image(IMAGE)
    assert found.mean() == pytest.approx(0, abs=1e-6)
    assert found.std() == pytest.approx(1, rel=1e-5)


def test_featurewise_statistics_are_those_of_all_pixels_of_a_channel() -> None:
    random = np.random.default_rng(1)
    images = [random.normal(1000, 3, (4, size, 2)).astype(np.float32) for size in (2, 5, 9)]
    statistics = Statistics.of(images)
    pixels = np.concatenate([image.reshape(-1, 2) for image in images]).astype(np.float64)
    np.testing.assert_allclose(statistics.mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.deviation, pixels.std(axis=0), rtol=1e-9)
    assert Statistics.from_json(statistics.to_json()) == statistics


def test_class_weights_are_inverse_frequencies_and_zero_for_an_absent_class() -> None:
    maps = [np.zeros((9, 5), np.int32), np.r_[np.zeros(45), np.ones(10)].astype(np.int32)]
    np.testing.assert_allclose(class_weights(maps, 2), [100 / (2 * 90), 100 / (2 * 10)])
    np.testing.assert_allclose(class_weights(maps, 3)[2], 0)


def _pipeline(
    folder: Path,
    passes: Passes,
    flips: bool = False,
    names: tuple[str, ...] = NAMES,
    resources: Resources | None = None,
) -> Pipeline:
    images = [(name, np.arange(6).reshape(2, 3) + 10 * int(name)) for name in NAMES]
    write_samples(folder / "X.h5", images)
    write_samples(folder / "y.h5", [(name, image % 10 % 2) for name, image in images])
    preparation = Preparation(
        preprocessing=_preprocessing(preprocessing__normalization_type="none"),
        expected=Expectation((2, 3, 1), (2, 3), 2),
        target_kind="sparse",
        variation=Variation.from_config(
            Augmentation(
                apply_augmentation_switch=flips,
                horizontal_flip_switch=True,
                vertical_flip_switch=True,
            )
        ),
        per_pixel=True,
    )
    pairs = PairedFiles(folder / "X.h5", folder / "y.h5")
    return Pipeline(pairs, names, preparation, passes, resources)


def _names(pipeline: Pipeline, epoch: int, start: int = 0) -> list[list[int]]:
    batches = pipeline.batches(epoch, start)
    return [(batch.images[:, 0, 0, 0] // 10).astype(int).tolist() for batch in batches]


def test_an_epoch_is_whole_passes_with_their_last_partial_batch(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=4, rounds=2))
    expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] * 2
    assert pipeline.steps == 6
    assert _names(pipeline, 0) == _names(pipeline, 1) == expected


def test_every_pass_has_an_order_of_its_own_that_the_seed_decides(tmp_path: Path) -> None:
    passes = Passes(batch_size=5, rounds=2, shuffle=True, seed=4)
    pipeline = _pipeline(tmp_path, passes)
    first = _names(pipeline, 0)
    assert sorted(first[0] + first[1]) == sorted(first[2] + first[3]) == list(range(10))
    assert first[:2] != first[2:]
    assert first != _names(pipeline, 1)
    assert first == _names(_pipeline(tmp_path, passes), 0)


def test_an_epoch_can_be_entered_at_any_step(tmp_path: Path) -> None:
    passes = Passes(batch_size=3, shuffle=True, augment=True, seed=2)
    pipeline = _pipeline(tmp_path, passes, flips=True)
    whole = [batch.images for batch in pipeline.batches(3)]
    for step in range(len(whole) + 1):
        rest = [batch.images for batch in pipeline.batches(3, step)]
        assert len(rest) == len(whole) - step
        assert all(np.array_equal(a, b) for a, b in zip(rest, whole[step:], strict=True))


def test_flips_move_image_and_label_map_alike_and_vary(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=10, rounds=8, augment=True), flips=True)
    corners = set()
    for batch in pipeline.batches(0):
        np.testing.assert_array_equal(batch.images % 10 % 2, batch.targets)
        corners |= set((batch.images[:, 0, 0, 0] % 10).astype(int).tolist())
    assert corners == {0, 2, 3, 5}


ROOMY, TIGHT, NONE = 1 << 30, 150, 0


@pytest.mark.parametrize("flips", [False, True])
def test_threads_and_memory_change_no_byte(tmp_path: Path, flips: bool) -> None:
    passes = Passes(batch_size=4, rounds=2, shuffle=True, augment=True, seed=5)
    found = []
    for threads in (0, 1, 4):
        for memory in (ROOMY, TIGHT, NONE):
            resources = Resources(threads, Memory(memory))
            pipeline = _pipeline(tmp_path, passes, flips, resources=resources)
            batches = [batch for epoch in range(2) for batch in pipeline.batches(epoch)]
            found.append([(one.images.tobytes(), one.targets.tobytes()) for one in batches])
    assert all(one == found[0] for one in found)


def test_threads_change_no_byte_of_what_is_moved_and_brightened(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, high in (("X.h5", 1000), ("y.h5", 3)):
        arrays = [(key, random.integers(0, high, (24, 20)).astype(np.uint16)) for key in NAMES]
        write_samples(tmp_path / name, arrays, gzip=1)
    preparation = preparation_of(
        (24, 20, 1),
        "one_hot",
        (24, 20),
        3,
        augmentation__rotation_range=30,
        augmentation__zoom_range=0.2,
        augmentation__width_shift=0.1,
        augmentation__brightness_range=(0.8, 1.2),
        preprocessing__normalization_type="samplewise_unity_x",
    )
    passes = Passes(batch_size=3, rounds=3, shuffle=True, augment=True, seed=9)
    found = []
    for threads in (0, 1, 4):
        with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
            resources = Resources(threads, Memory(NONE))
            pipeline = Pipeline(pairs, NAMES, preparation, passes, resources)
            batches = list(pipeline.batches(2))
        found.append([(one.images.tobytes(), one.targets.tobytes()) for one in batches])
    assert found[0] == found[1] == found[2]
    assert len({images for images, _ in found[0]}) == len(found[0]) == 12


@pytest.mark.parametrize("threads", [0, 3])
def test_an_epoch_of_passes_can_be_entered_at_any_step(tmp_path: Path, threads: int) -> None:
    passes = Passes(batch_size=3, rounds=3, shuffle=True, augment=True, seed=2)
    pipeline = _pipeline(tmp_path, passes, flips=True, resources=Resources(threads))
    whole = [batch.images.tobytes() for batch in pipeline.batches(3)]
    assert len(whole) == pipeline.steps == 12
    for step in range(len(whole) + 2):
        rest = [batch.images.tobytes() for batch in pipeline.batches(3, step)]
        assert rest == whole[step:]


def test_the_samples_of_any_batch_are_known_without_it(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=3, rounds=2, shuffle=True, seed=2))
    for epoch in range(2):
        delivered = _names(pipeline, epoch)
        known = [pipeline.names(epoch, step) for step in range(pipeline.steps)]
        assert [list(map(int, names)) for names in known] == delivered


def test_batches_left_out_are_not_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = Resources(0, Memory(NONE))
    pipeline = _pipeline(tmp_path, Passes(batch_size=2, rounds=4), resources=resources)
    read = _reads(monkeypatch)
    assert len(list(pipeline.batches(0, 18))) == 2
    # One more for the shape of a batch.
    assert read == ["0", "6", "7", "8", "9"]


def test_small_data_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = _reads(monkeypatch)
    for flips in (False, True):
        pipeline = _pipeline(tmp_path, Passes(batch_size=4, augment=True), flips)
        for epoch in range(3):
            list(pipeline.batches(epoch))
        assert sorted(read[1:], key=int) == list(NAMES)
        read.clear()


def test_pipelines_share_their_memory(tmp_path: Path) -> None:
    resources = Resources(1, Memory(1000))
    for _ in range(3):
        pipeline = _pipeline(tmp_path, Passes(batch_size=1), resources=resources)
        assert len(list(pipeline.batches(0))) == 10
    assert 0 <= resources.memory.free < 1000


def test_only_a_few_batches_are_prepared_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for threads, memory, most in ((3, ROOMY, 4), (3, NONE, 2)):
        resources = Resources(threads, Memory(memory))
        passes = Passes(batch_size=1, rounds=100, augment=True)
        pipeline = _pipeline(tmp_path, passes, flips=True, resources=resources)
        begun = _calls(monkeypatch, Preparation, "sample")
        batches = pipeline.batches(0)
        for taken in range(1, 6):
            next(batches)
            time.sleep(0.02)
            # The sample that shows the shape of a batch, and what was asked for.
            assert len(begun) <= 1 + taken + most
        batches.close()
        monkeypatch.undo()


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list that grows by the name of every image that is read."""
    names: list[str] = []
    read = SampleFile.read

    def noted(file: SampleFile, name: str, out: np.ndarray | None = None) -> np.ndarray:
        if file.path.name == "X.h5":
            names.append(name)
        return read(file, name, out)

    monkeypatch.setattr(SampleFile, "read", noted)
    return names


def _calls(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> list[object]:
    calls: list[object] = []
    call = getattr(kind, name)

    def noted(*arguments: object) -> object:
        calls.append(arguments)
        return call(*arguments)

    monkeypatch.setattr(kind, name, noted)
    return calls


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("pipeline")]


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_a_failing_read_reaches_the_consumer_in_its_place(tmp_path: Path, threads: int) -> None:
    names, resources = (*NAMES, "99"), Resources(threads)
    pipeline = _pipeline(tmp_path, Passes(batch_size=2), names=names, resources=resources)
    batches = pipeline.batches(0)
    for _ in range(5):
        next(batches)
    with pytest.raises(UnusableDataset, match=r"X\.h5: dataset '99' cannot be read"):
        next(batches)
    assert not _threads()


def test_any_failure_of_a_thread_reaches_the_consumer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=2))
    assert pipeline.example[0].shape == (2, 3, 1)

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Preparation, "sample", fail)
    with pytest.raises(MemoryError):
        list(pipeline.batches(0))
    assert not _threads()


def test_a_consumer_that_stops_leaves_no_thread(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=1, rounds=100), resources=Resources(2))
    batches = pipeline.batches(0)
    next(batches)
    assert _threads()
    batches.close()
    assert not _threads()
    batches = pipeline.batches(0)
    next(batches)
    del batches
    assert not _threads()


def test_closing_ends_every_delivery(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=1, rounds=100), resources=Resources(2))
    one, other, unused = (pipeline.batches(0) for _ in range(3))
    next(one), next(other)
    pipeline.close()
    assert not _threads()
    assert [list(delivery) for delivery in (one, other, unused)] == [[], [], []]


def test_one_sample_and_none(tmp_path: Path) -> None:
    passes = Passes(batch_size=4, rounds=2, shuffle=True)
    pipeline = _pipeline(tmp_path, passes, names=("7",))
    assert _names(pipeline, 0) == [[7], [7]]
    assert pipeline.steps == 2
    empty = _pipeline(tmp_path, passes, names=())
    assert (empty.steps, list(empty.batches(0))) == (0, [])


def test_two_consumers_at_once_get_the_same(tmp_path: Path) -> None:
    pipeline = _pipeline(tmp_path, Passes(batch_size=3, shuffle=True), resources=Resources(2))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda epoch: _names(pipeline, epoch % 2), range(8)))
    assert found[0::2] == [found[0]] * 4
    assert found[1::2] == [found[1]] * 4
