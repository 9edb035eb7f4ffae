"""Networks of others: their weights taken whole or not at all, and nothing else of their file."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlae_core.bundle import Bundle
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact
from tests.sessions import FCN_LAYERS, config_text

pytestmark = [pytest.mark.keras, pytest.mark.slow]


@pytest.fixture(autouse=True)
def no_engines(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Writes files for other engines in one test only: it takes seconds."""
    if "a.keras" not in request.node.name:
        monkeypatch.setattr("dlae_core.adoption.export_engines", lambda *_: {})


def stranger(seed: int = 3, last: int = 2) -> "keras.Model":  # noqa: F821
    """Returns the network of `FCN_LAYERS`, made by hand, with other names."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    first = layers.Conv2D(8, 3, padding="same", activation="relu", bias_initializer="normal")(image)
    deep = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(first))
    up = layers.Conv2D(8, 3, padding="same", activation=None)(layers.UpSampling2D()(deep))
    both = layers.Concatenate()([up, first])
    return keras.Model(image, layers.Conv2D(last, 1, activation="softmax")(both))


def text(folder: Path) -> str:
    return config_text(folder, preprocessing__maximum_image_intensity=100.0)


@pytest.mark.parametrize("name", ["a.keras", "a.h5", "a.weights.h5"])
def test_a_network_of_others_becomes_a_bundle_with_all_its_weights(
    tmp_path: Path, name: str
) -> None:
    import keras

    from dlae_core.adoption import adopt

    theirs = stranger()
    (theirs.save_weights if ".weights" in name else theirs.save)(tmp_path / name)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    adopt(text(tmp_path), tmp_path / name, bundle)
    manifest = Bundle.open(bundle).manifest
    assert (manifest.family, manifest.input_shape, manifest.output_shape) == (
        *("FCN", (8, 8, 1), (8, 8, 2)),
    )
    assert (manifest.classes, manifest.metrics, manifest.data) == (2, {}, {})
    assert name != "a.keras" or manifest.engines["openvino"]["largest_difference"] < 1e-4
    ours = keras.models.load_model(bundle / "model.keras", compile=False)
    weights = zip(theirs.get_weights(), ours.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in weights)
    kept = json.loads((bundle / "config.json").read_text())
    assert kept["preprocessing"]["maximum_image_intensity"] == [100.0]
    assert str(tmp_path) not in (bundle / "config.json").read_text()


def test_other_weights_than_those_of_the_network_are_refused(tmp_path: Path) -> None:
    from dlae_core.adoption import adopt

    stranger(last=3).save(tmp_path / "a.keras")
    for layers in (FCN_LAYERS, [*FCN_LAYERS[:5], "Convolution 2D:8:(3, 3)", *FCN_LAYERS[5:]]):
        config = config_text(tmp_path, layers__serial_layer_list=layers)
        with pytest.raises(IncompatibleArtifact, match="exactly the network"):
            adopt(config, tmp_path / "a.keras", tmp_path / "none")
    with pytest.raises(IncompatibleArtifact):
        adopt(config_text(tmp_path, "CNN"), tmp_path / "a.keras", tmp_path / "none")


def test_code_in_a_file_is_never_run_nor_its_pickles_opened(tmp_path: Path) -> None:
    import keras

    from dlae_core.adoption import adopt

    image = keras.Input((8, 8, 1))
    harm = keras.layers.Lambda(lambda x: x * 1.0)(image)
    keras.Model(image, keras.layers.Conv2D(2, 1)(harm)).save(tmp_path / "a.keras")
    config = config_text(
        tmp_path,
        layers__serial_layer_list=["Input:(8, 8, 1)", "Convolution 2D:2:(1, 1)"],
    )
    with pytest.raises(ValueError, match="Lambda"):
        keras.models.load_model(tmp_path / "a.keras")
    (tmp_path / "bundle").mkdir()
    adopt(config, tmp_path / "a.keras", tmp_path / "bundle")
    assert "Lambda" not in (tmp_path / "bundle" / "model.keras").read_bytes().decode("latin-1")


def test_damaged_files_are_told(tmp_path: Path) -> None:
    from dlae_core.adoption import adopt

    (tmp_path / "a.keras").write_bytes(b"PK no archive")
    with pytest.raises((CorruptArtifact, IncompatibleArtifact)):
        adopt(text(tmp_path), tmp_path / "a.keras", tmp_path / "none")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    from dlae_core.adoption import adopt

    theirs = stranger()
    theirs.layers[1].set_weights([np.full_like(one, np.nan) for one in theirs.layers[1].weights])
    theirs.save(tmp_path / "a.keras")
    with pytest.raises(IncompatibleArtifact, match="finite"):
        adopt(text(tmp_path), tmp_path / "a.keras", tmp_path / "none")
