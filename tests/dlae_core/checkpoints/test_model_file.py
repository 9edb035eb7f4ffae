"""Networks as files: plain Keras, the same bytes for the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.checkpoints.archive import Archive, read_archive
from dlae_core.errors import StorageFailed
from tests.dlae_core.checkpoints.test_archive import full_disk

pytestmark = pytest.mark.keras


def _model() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    shared = keras.regularizers.L2(0.1)
    image = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Conv2D(4, 3, kernel_regularizer=shared, name="a")(image)
    x = keras.layers.Dropout(0.5, name="b")(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1, name="c")(x), name="model")


def test_equal_networks_are_equal_files_that_plain_keras_opens(tmp_path: Path) -> None:
    import keras

    from dlae_core.checkpoints.model_file import write_model

    model = _model()
    write_model(tmp_path / "a.keras", model)
    write_model(tmp_path / "b.keras", _model())
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    again = keras.models.load_model(tmp_path / "a.keras")
    image = np.ones((1, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(model(image), again(image))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.keras", "b.keras"]


def test_a_checkpoint_is_a_model_and_a_state(tmp_path: Path) -> None:
    import keras

    from dlae_core.checkpoints.model_file import write_checkpoint

    path = tmp_path / "c.keras"
    write_checkpoint(path, _model(), Archive({"epoch": 1}, {"x": np.arange(3)}))
    found = read_archive(path)
    assert (found.facts, found.arrays["x"].tolist()) == ({"epoch": 1}, [0, 1, 2])
    assert keras.models.load_model(path).count_params() == _model().count_params()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    from dlae_core.checkpoints.model_file import write_model

    with full_disk(2_000), pytest.raises(StorageFailed):
        write_model(tmp_path / "a.keras", _model())
    assert list(tmp_path.iterdir()) == []
