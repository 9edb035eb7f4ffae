"""Networks of others: taken whole or not at all, and no code of theirs."""

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


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    return folder


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
    tmp_path: Path, bundle: Path, name: str
) -> None:
    import keras

    from dlae_core.adoption import adopt

    theirs = stranger()
    (theirs.save_weights if ".weights" in name else theirs.save)(tmp_path / name)
    assert name in adopt(text(tmp_path), tmp_path / name, bundle)
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


def test_a_network_with_another_output_than_the_configuration_says_is_refused(
    tmp_path: Path, bundle: Path
) -> None:
    from dlae_core.adoption import adopt

    stranger(last=3).save(tmp_path / "a.h5")
    with pytest.raises(
        IncompatibleArtifact, match=r"expected an output \(8, 8, 2\), .* \(8, 8, 3\)"
    ):
        adopt(text(tmp_path), tmp_path / "a.h5", bundle)


def test_weights_alone_that_do_not_fit_the_layers_are_refused(tmp_path: Path, bundle: Path) -> None:
    from dlae_core.adoption import adopt

    stranger().save_weights(tmp_path / "a.weights.h5")
    more = [*FCN_LAYERS[:5], "Convolution 2D:8:(3, 3)", *FCN_LAYERS[5:]]
    config = config_text(tmp_path, layers__serial_layer_list=more)
    with pytest.raises(IncompatibleArtifact, match="expected weights for every layer"):
        adopt(config, tmp_path / "a.weights.h5", bundle)


def test_code_in_a_file_is_never_run(tmp_path: Path, bundle: Path) -> None:
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
    assert "gives weights to the layers" in adopt(config, tmp_path / "a.keras", bundle)
    assert "Lambda" not in (bundle / "model.keras").read_bytes().decode("latin-1")


def test_damaged_files_are_told(tmp_path: Path, bundle: Path) -> None:
    from dlae_core.adoption import adopt

    (tmp_path / "a.keras").write_bytes(b"PK no archive")
    with pytest.raises((CorruptArtifact, IncompatibleArtifact)):
        adopt(text(tmp_path), tmp_path / "a.keras", bundle)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, bundle: Path) -> None:
    from dlae_core.adoption import adopt

    theirs = stranger()
    theirs.layers[1].set_weights([np.full_like(one, np.nan) for one in theirs.layers[1].weights])
    theirs.save(tmp_path / "a.keras")
    with pytest.raises(IncompatibleArtifact, match="finite"):
        adopt(text(tmp_path), tmp_path / "a.keras", bundle)
