"""Names and checksums of the files of ImageNet weights."""

import hashlib
import inspect
import re
from pathlib import Path

import pytest

from dlae_core.backbones.weight_files import (
    BY_NAME,
    WEIGHT_FILES,
    WeightFile,
    weight_file,
    weight_folders,
)

EMBEDDED = ("xception", "vgg16", "vgg19", "inception_v3", "inception_resnet_v2", "densenet")


@pytest.mark.keras
def test_checksums_and_names_are_those_of_keras() -> None:
    from keras.src.applications import resnet

    published = {
        f"{name}_weights_tf_dim_ordering_tf_kernels{suffix}.h5": md5
        for name, pair in resnet.WEIGHTS_HASHES.items()
        for suffix, md5 in zip(("", "_notop"), pair, strict=True)
    }
    for module in EMBEDDED:
        published |= _embedded(module)
    mobile = {name for name in BY_NAME if name.startswith("mobilenet")}
    assert {name: file.md5 for name, file in BY_NAME.items() if name not in mobile} == published


def _embedded(module: str) -> dict[str, str]:
    """Returns names and checksums as they stand in a module: all with classifier come first."""
    source = inspect.getsource(
        __import__(f"keras.src.applications.{module}", fromlist=["applications"])
    )
    checksums = re.findall(r'file_hash="([0-9a-f]{32})"', source)
    found = re.findall(r"densenet\d+_weights_tf_dim_ordering_tf_kernels\.h5", source)
    names = list(dict.fromkeys(found)) or [f"{module}_weights_tf_dim_ordering_tf_kernels.h5"]
    names += [name.replace(".h5", "_notop.h5") for name in names]
    return dict(zip(names, checksums, strict=True))


@pytest.mark.keras
@pytest.mark.parametrize("include_top", [True, False])
@pytest.mark.parametrize("network", ["MobileNet", "MobileNetV2", "VGG16"])
def test_keras_asks_for_the_same_file(
    network: str, include_top: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    from keras.src.utils import file_utils

    class Asked(Exception):
        """What Keras would download."""

    def ask(name: str, *_: object, file_hash: str = "", **__: object) -> str:
        raise Asked(name, file_hash)

    monkeypatch.setattr(file_utils, "get_file", ask)
    build = getattr(keras.applications, network)
    with keras.StatelessScope(initialize_variables=False), pytest.raises(Asked) as caught:
        build(weights="imagenet", include_top=include_top, input_shape=(224, 224, 3))
    file = weight_file(network, include_top)
    assert caught.value.args == (file.name, file.md5)


def test_every_network_has_two_files_of_its_own() -> None:
    assert len(BY_NAME) == 2 * len(WEIGHT_FILES) == 36


def test_a_file_is_whole_when_its_checksum_is_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    published = hashlib.md5(b"weights", usedforsecurity=False).hexdigest()
    assert WeightFile("file", published).is_whole(path)
    assert not WeightFile("file", "0" * 32).is_whole(path)


def test_a_file_without_published_checksum_must_at_least_be_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    assert not WeightFile("file").is_whole(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n...")
    assert WeightFile("file").is_whole(path)


def test_the_operators_folder_comes_before_that_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", "/keras")
    monkeypatch.setenv("DLAE_WEIGHTS_DIR", "/own")
    assert weight_folders() == [Path("/own"), Path("/keras/models")]
    monkeypatch.delenv("DLAE_WEIGHTS_DIR")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert weight_folders() == [Path("/home/me/.keras/models")]
