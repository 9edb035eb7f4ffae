"""Initial weights from files, which are written here as Keras writes them."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from dlae_core.backbones import weights as weights_module
from dlae_core.backbones.base import build_backbone
from dlae_core.backbones.weight_files import WeightFile, weight_file
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, WeightsNotFound

pytestmark = pytest.mark.keras

SIDE = 32


def _legacy(model: keras.Model, path: Path) -> Path:
    """Writes weights as the files of ImageNet weights have them."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def _batch(channels: int = 3) -> np.ndarray:
    shape = (2, SIDE, SIDE, channels)
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def _network(weights: str, channels: int = 3, **arguments: bool) -> keras.Model:
    image = keras.Input((SIDE, SIDE, channels))
    features = build_backbone("MobileNet", image, name="net", weights=weights, **arguments)
    return keras.Model(image, features.output)


@pytest.fixture(scope="module")
def mobilenet() -> keras.Model:
    """The network of Keras, which our file formats and outputs are compared with."""
    keras.utils.set_random_seed(1)
    build = keras.applications.MobileNet
    return build(weights=None, include_top=True, input_shape=(SIDE, SIDE, 3))


@pytest.fixture(scope="module")
def features(mobilenet: keras.Model) -> keras.Model:
    """The same without its classifier."""
    return keras.Model(mobilenet.input, mobilenet.get_layer("conv_pw_13_relu").output)


@pytest.fixture
def installed(
    mobilenet: keras.Model,
    features: keras.Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with both files of the network, named to the engine."""
    monkeypatch.setenv("DLAE_WEIGHTS_DIR", str(tmp_path))
    _legacy(mobilenet, tmp_path / "mobilenet_1_0_224_tf.h5")
    _legacy(features, tmp_path / "mobilenet_1_0_224_tf_no_top.h5")
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_imagenet_files_are_found_by_the_names_of_keras(
    mobilenet: keras.Model, features: keras.Model
) -> None:
    np.testing.assert_allclose(_network("imagenet")(_batch()), features(_batch()), atol=1e-6)
    classifier = _network("imagenet", include_top=True)
    np.testing.assert_allclose(classifier(_batch()), mobilenet(_batch()), atol=1e-6)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("channels", [1, 5])
def test_grey_images_respond_as_their_three_equal_channels(
    channels: int, features: keras.Model
) -> None:
    grey = _batch(1)
    found = _network("imagenet", channels)(np.repeat(grey, channels, axis=-1))
    np.testing.assert_allclose(found, features(np.repeat(grey, 3, axis=-1)), atol=1e-5)


WRITERS: dict[str, Callable[[keras.Model, Path], object]] = {
    "legacy.h5": _legacy,
    "model.h5": keras.Model.save,
    "model.keras": keras.Model.save,
    "model.weights.h5": keras.Model.save_weights,
}


@pytest.mark.parametrize("file", WRITERS)
def test_files_of_keras_are_read_without_their_classifier(
    file: str, mobilenet: keras.Model, features: keras.Model, tmp_path: Path
) -> None:
    WRITERS[file](mobilenet, tmp_path / file)
    found = _network(str(tmp_path / file))(_batch())
    np.testing.assert_allclose(found, features(_batch()), atol=1e-6)


def test_a_network_starts_from_a_model_that_was_built_on_it(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 1))
    built = build_backbone("MobileNet", image, name="item001_mobilenet")
    x = keras.layers.Conv2DTranspose(8, 2, strides=2)(built.output)
    x = keras.layers.Concatenate()([built.levels[3], x])
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, padding="same")(x))
    keras.Model(image, x).save(tmp_path / "model.keras")
    found = _network(str(tmp_path / "model.keras"), channels=1)(_batch(1))
    np.testing.assert_allclose(found, keras.Model(image, built.output)(_batch(1)), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["InceptionV3", "InceptionResNetV2"])
def test_networks_of_our_own_code_compute_what_those_of_keras_compute(network: str) -> None:
    shape = (75, 75, 3)
    theirs = getattr(keras.applications, network)(
        weights=None, include_top=False, input_shape=shape
    )
    image, generator = keras.Input(shape), np.random.default_rng(1)
    built = build_backbone(network, image, name="net")
    # Files have weights in this order only, without names that both know.
    own = [layer for layer in built.layers if layer.weights]
    published = [layer for layer in theirs.layers if layer.weights]
    for layer, other in zip(own, published, strict=True):
        weights = other.get_weights()
        # Statistics and biases that tell the layers apart.
        drawn = [generator.uniform(0.5, 1.5, w.shape) if w.ndim == 1 else w for w in weights]
        layer.set_weights(drawn)
        other.set_weights(drawn)
    batch = generator.normal(size=(1, *shape)).astype(np.float32)
    expected = np.array(theirs(batch))
    assert 0.1 < expected.std() < 1000
    np.testing.assert_allclose(keras.Model(image, built.output)(batch), expected, rtol=1e-4)


def test_weights_of_another_network_are_refused_by_layer(tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(32, 3, use_bias=False)(image)
    x = keras.layers.BatchNormalization()(x)
    other = keras.Model(image, keras.layers.Conv2D(4, 5, name="fifth")(x))
    path = _legacy(other, tmp_path / "other.h5")
    expected = (
        r"other.h5 does not fit MobileNet: layer 'net_conv_dw_1' expects weights of shapes "
        r"\(3, 3, 32, 1\), the file 'fifth' has \(5, 5, 32, 4\), \(4,\)"
    )
    with pytest.raises(IncompatibleArtifact, match=expected):
        _network(str(path))


@pytest.mark.parametrize("file", WRITERS)
def test_weights_that_end_early_are_refused(file: str, tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 3))
    stem = keras.Model(image, keras.layers.Conv2D(32, 3, use_bias=False)(image))
    WRITERS[file](stem, tmp_path / file)
    with pytest.raises(IncompatibleArtifact, match=r"'net_conv1_bn' .* the file has no more"):
        _network(str(tmp_path / file))


def test_weights_for_other_channels_are_refused(features: keras.Model, tmp_path: Path) -> None:
    path = _legacy(features, tmp_path / "colours.h5")
    with pytest.raises(IncompatibleArtifact, match=r"\(3, 3, 1, 32\).*\(3, 3, 3, 32\)"):
        _network(str(path), channels=1)


def test_missing_files_are_named_with_the_places_they_were_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLAE_WEIGHTS_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(WeightsNotFound) as caught:
        weights_module.imagenet_path("ResNeXt50", include_top=False)
    assert str(caught.value) == (
        "expected the ImageNet weights resnext50_weights_tf_dim_ordering_tf_kernels_notop.h5 of "
        f"ResNeXt50 in {tmp_path}/own or {tmp_path}/models, found none; install the file with "
        "`dlae-server weights import FILE...`"
    )


@pytest.mark.parametrize("path", ["nowhere.h5", "a\0b", "x" * 5000])
def test_a_path_without_a_file_is_refused(path: str) -> None:
    with pytest.raises(WeightsNotFound, match="the path of a weights file, found no file"):
        weights_module.load_weights(path, "MobileNet", False, [])


def test_checksums_are_compared_where_keras_publishes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLAE_WEIGHTS_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / weight_file("VGG16", include_top=False).name
    path.write_bytes(b"weights")
    with pytest.raises(CorruptArtifact, match=f"expected weights in {path.name}, found a damaged"):
        weights_module.imagenet_path("VGG16", include_top=False)
    published = WeightFile(path.name, hashlib.md5(b"weights", usedforsecurity=False).hexdigest())
    monkeypatch.setattr(weights_module, "weight_file", lambda *_: published)
    assert weights_module.imagenet_path("VGG16", include_top=False) == path


def _truncated(path: Path, model: keras.Model) -> None:
    _legacy(model, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _compressed(path: Path, model: keras.Model) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(1 << 20))


def _empty_archive(path: Path, model: keras.Model) -> None:
    zipfile.ZipFile(path, "w").close()


def _linked(path: Path, model: keras.Model) -> None:
    _legacy(model, path.with_name("elsewhere.h5"))
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["conv1"]
        file["conv1"] = h5py.ExternalLink("elsewhere.h5", "/conv1")


def _stored_elsewhere(path: Path, model: keras.Model) -> None:
    path.with_name("secret").write_bytes(bytes(range(256)) * 14)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["conv1"]
        group = file.create_group("conv1")
        group.attrs["weight_names"] = ["kernel"]
        group.create_dataset(
            "kernel", (3, 3, 3, 32), "f4", external=[(path.with_name("secret"), 0, 3456)]
        )


def _texts(path: Path, model: keras.Model) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["conv1"]
        group = file.create_group("conv1")
        group.attrs["weight_names"] = ["kernel"]
        group["kernel"] = np.full((3, 3, 3, 32), b"text")


@pytest.mark.parametrize(
    "damage", [_truncated, _compressed, _empty_archive, _linked, _stored_elsewhere, _texts]
)
def test_damaged_files_and_those_that_lead_elsewhere_are_refused(
    damage: Callable[[Path, keras.Model], None], features: keras.Model, tmp_path: Path
) -> None:
    path = tmp_path / "weights.h5"
    damage(path, features)
    with (
        keras.StatelessScope(initialize_variables=False),
        pytest.raises(CorruptArtifact, match="found a damaged file"),
    ):
        _network(str(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "samples.h5", "w") as file:
        file["0"] = np.zeros(3)
    layers = [keras.layers.Dense(1)]
    with pytest.raises(IncompatibleArtifact, match="found something else"):
        weights_module.load_weights(str(tmp_path / "samples.h5"), "MobileNet", False, layers)
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(CorruptArtifact, match=r"text\.h5"):
        weights_module.load_weights(str(tmp_path / "text.h5"), "MobileNet", False, layers)
