"""The data of a training: split as configured, saved with the run, prepared as the settings say."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.config import load_config
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.data.spacing import common_spacing
from dlae_core.data.split import Split
from dlae_core.errors import UnusableDataset
from dlae_core.training import train
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks
from tests.sessions import config_text, write_bright_images

pytestmark = [pytest.mark.keras, pytest.mark.slow]

GROUPS = {str(number): f"Smith {number // 3}" for number in range(16)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_bright_images(folder)
    with SampleFile(folder / "X.h5") as file:
        samples = [(name, file.read(name), {"patient": GROUPS[name]}) for name in file.names]
    write_samples(folder / "X.h5", samples)
    lines = [f"{name},{group}\n" for name, group in GROUPS.items()]
    (folder / "groups.csv").write_text("name,group\n" + "".join(lines))
    return folder


def _opened(text: str, look: Callable[[Any], Any], cache: Path | None = None) -> Any:
    config = load_config(text).config
    with open_training_data(config, checked_networks(config)[0], cache) as found:
        return look(found)


def _split(text: str) -> Split:
    found: Split = _opened(text, lambda found: found.split)
    return found


def _sides(split: Split) -> list[set[str]]:
    return [{GROUPS[name] for name in side} for side in (split.training, split.validation)]


def test_groups_of_an_attribute_and_of_a_table_split_alike(data: Path) -> None:
    alone = _split(config_text(data))
    assert len(alone.validation) == 4
    changes = {"training_configurations__split_group": "patient"}
    by_attribute = _split(config_text(data, **changes))
    by_table = _split(config_text(data, paths__split_groups=str(data / "groups.csv")))
    assert by_attribute == by_table != alone
    training, validation = _sides(by_attribute)
    assert training
    assert validation
    assert not training & validation


def test_folds_keep_every_sample_once(data: Path) -> None:
    changes: dict[str, Any] = {
        "training_configurations__validation_split": 0,
        "training_configurations__folds": 3,
        "training_configurations__split_group": "patient",
    }
    splits = [
        _split(config_text(data, **changes, training_configurations__fold=fold))
        for fold in range(3)
    ]
    assert sorted(name for one in splits for name in one.validation) == sorted(GROUPS)
    assert all(not training & validation for training, validation in map(_sides, splits))


def test_validation_files_are_kept_apart_by_group(data: Path, tmp_path: Path) -> None:
    with SampleFile(data / "X.h5") as file:
        image = file.read("0")
    with SampleFile(data / "masks.h5") as file:
        mask = file.read("0")
    write_samples(tmp_path / "y.h5", [("5", mask)])
    changes: dict[str, Any] = {
        "paths__validation_X": str(tmp_path / "X.h5"),
        "paths__validation_y": str(tmp_path / "y.h5"),
        "training_configurations__validation_split": 0,
        "training_configurations__split_group": "patient",
    }
    write_samples(tmp_path / "X.h5", [("5", image, {"patient": "Brown"})])
    found = _split(config_text(data, **changes))
    assert (len(found.training), found.validation) == (16, ("5",))
    assert found.validation_role == "validation_X"
    write_samples(tmp_path / "X.h5", [("5", image, {"patient": "Smith 2"})])
    with pytest.raises(UnusableDataset, match=r"X\.h5: expected groups that are not trained on"):
        _split(config_text(data, **changes))


def test_a_split_that_cannot_be_made_is_refused(data: Path) -> None:
    text = config_text(data, training_configurations__split_group="scanner")
    with pytest.raises(UnusableDataset, match="attribute 'scanner', found none") as caught:
        _split(text)
    assert len(caught.value.problems) == 16


def test_the_split_is_saved_with_the_run_and_names_no_group(data: Path, tmp_path: Path) -> None:
    text = config_text(data, paths__split_groups=str(data / "groups.csv"))
    path = train(load_config(text).config, tmp_path, lambda _: None, lambda: False)
    bundle = Bundle.open(path)
    assert "split.json" in bundle.manifest.files
    split = _split(text)
    assert json.loads(bundle.read("split.json")) == json.loads(split.to_json())
    written = b"".join((path / name).read_bytes() for name in bundle.manifest.files)
    assert b"Smith" not in written
    assert b"groups.csv" not in written


def test_threads_and_memory_are_those_of_the_settings_and_change_nothing(data: Path) -> None:
    def look(found: Any) -> tuple[int, list[bytes]]:
        before = threading.active_count()
        batches = found.training.batches(0)
        images = [next(batches).images]
        threads = threading.active_count() - before
        return threads, [one.tobytes() for one in (*images, *(rest.images for rest in batches))]

    found = {
        (threads, memory): _opened(
            config_text(
                data,
                augmentation__apply_augmentation_switch=True,
                augmentation__horizontal_flip_switch=True,
                training_configurations__batch_size=2,
                training_configurations__data_threads=threads,
                training_configurations__data_memory=memory,
            ),
            look,
        )
        for threads, memory in ((0, 1024), (1, 1024), (4, 1024), (4, 0))
    }
    none, one, four, two = (threads for threads, _ in found.values())
    # No thread is started while another is idle. Without memory no more than two are of use.
    assert (none, one, four in (1, 2, 3, 4), two in (1, 2)) == (0, 1, True, True)
    assert len({tuple(batches) for _, batches in found.values()}) == 1


def test_what_was_measured_is_found_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = config_text(
        data,
        loss_function__loss="weighted_categorical_crossentropy",
        preprocessing__normalization_type="none",
        augmentation__featurewise_centering_switch=True,
    )

    def look(found: Any) -> tuple[Any, list[float]]:
        return found.preprocessing.statistics, found.class_weights.tolist()

    first = _opened(text, look, tmp_path / "cache")
    with SampleFile(data / "X.h5") as file:
        images = [file.read(name) for name in _split(text).training]
    assert first[0].mean == pytest.approx([np.mean(images)])
    monkeypatch.delattr("dlae_core.data.measurements.Measurements._each")
    assert _opened(text, look, tmp_path / "cache") == first


def test_leaving_early_ends_the_threads(data: Path) -> None:
    def look(found: Any) -> Any:
        batches = found.training.batches(0)
        next(batches)
        return batches

    batches = _opened(config_text(data, training_configurations__batch_size=1), look)
    assert not [one for one in threading.enumerate() if one.name.startswith("pipeline")]
    assert list(batches) == []


def test_the_spacing_of_all_images_is_that_of_each(tmp_path: Path) -> None:
    samples = [(str(number), np.zeros((8, 8, 1), np.float32)) for number in range(4)]
    same = {"spacing_mm": np.float64([0.5, 2.0])}
    for name, last in (
        ("same", same),
        ("other", {"spacing_mm": np.float64([0.5, 2.1])}),
        ("no", {}),
    ):
        rows = [(*sample, same) for sample in samples[:-1]]
        write_samples(tmp_path / f"{name}.h5", [*rows, (*samples[-1], last)])
        with SampleFile(tmp_path / f"{name}.h5") as file:
            found = common_spacing(file, file.names, 2)
        assert found == ((0.5, 2.0) if name == "same" else None)
