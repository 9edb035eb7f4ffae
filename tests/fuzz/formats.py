"""The file formats that DLAE takes: valid files of each, and how it reads them."""

import io
import json
import os
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from dlae.v1.training_pb2 import Job
from dlae_client.contexts import read_contexts
from dlae_client.errors import ClientError
from dlae_core.backbones.stored_weights import layers_by_kind
from dlae_core.checkpoints.archive import Archive, read_archive, write_archive
from dlae_core.config import load_config, read_config, resolve_config
from dlae_core.config.layer_text import parse_layer
from dlae_core.config.legacy import write_legacy_config
from dlae_core.config.write import write_config
from dlae_core.data import hdf5
from dlae_core.data.packing.arrays import array_parts
from dlae_core.data.packing.dicom import dicom_parts
from dlae_core.data.packing.nifti import read_nifti
from dlae_core.data.packing.picture import read_picture
from dlae_core.data.source import SampleFile
from dlae_core.errors import DlaeError, UnusableDataset
from dlae_server.access import tokens
from dlae_server.datasets import arrival_worker
from dlae_server.errors import InvalidRequest
from dlae_server.models.registry import model_from_bundle
from tests.fuzz.inputs import Fuzz
from tests.sessions import FCN_LAYERS, config_text, detector_text

Seeds = list[bytes]
REFUSED, FAILED = 11, 12


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        ending: Of its files.
        seeds: Returns valid files; takes a folder to write in.
        read: Reads one, as DLAE does.
        damage: Returns a file with damage.
    """

    ending: str
    seeds: Callable[[Path], Seeds]
    read: Callable[[Path], object]
    damage: Callable[[Fuzz, bytes], bytes] = Fuzz.mutated


def _damaged_json(fuzz: Fuzz, data: bytes) -> bytes:
    return fuzz.changed_json(data) if fuzz.random.random() < 0.7 else fuzz.mutated(data)


def _damaged_archive(fuzz: Fuzz, data: bytes) -> bytes:
    """Damages one entry, with checksums that fit."""
    if fuzz.random.random() < 0.1 or not zipfile.is_zipfile(io.BytesIO(data)):
        return fuzz.mutated(data)
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(into, "w") as new:
        chosen = fuzz.random.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            if name == chosen:
                damage = _damaged_json if name.endswith(".json") else Fuzz.mutated
                content = damage(fuzz, content)
            new.writestr(name, content)
    return into.getvalue()


def _damaged_attribute(fuzz: Fuzz, data: bytes) -> bytes:
    """Damages the description of a network in an HDF5 file."""
    if fuzz.random.random() < 0.3:
        return fuzz.mutated(data)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "a") as file:
        text = fuzz.changed_json(str(file.attrs["model_config"]).encode())
        file.attrs["model_config"] = text.decode()
    return buffer.getvalue()


def _configurations(folder: Path) -> Seeds:
    texts = [config_text(folder, family) for family in ("FCN", "CNN")]
    texts.append(detector_text(folder))
    old = write_legacy_config(load_config(config_text(folder)).config)
    return [text.encode() for text in (*texts, old)]


def _read_configuration(path: Path) -> None:
    text = path.read_text(errors="surrogateescape")
    for violation in read_config(text).violations:
        # They travel in messages.
        (violation.path + violation.message).encode()
    config = load_config(text).config
    assert load_config(write_config(config)).config == config


def _read_layers(path: Path) -> None:
    for line in path.read_text(errors="surrogateescape").splitlines():
        parse_layer(line)


def _samples(folder: Path) -> Seeds:
    return [_sample_file(libver) for libver in ("earliest", "latest")]


def _sample_file(libver: str) -> bytes:
    buffer, random = io.BytesIO(), np.random.default_rng(0)
    with h5py.File(buffer, "w", libver=libver) as file:
        file["0"] = random.integers(0, 9, (8, 8), np.uint8)
        file.create_dataset("1", data=random.random((8, 8)), chunks=(4, 4), compression="gzip")
        file.create_dataset(
            "2",
            data=random.random((9, 9), np.float32),
            chunks=(4, 4),
            shuffle=True,
            fletcher32=True,
        )
        file.create_dataset("3", data=random.random((8, 8)), chunks=(8, 8), compression="lzf")
        file["3"].attrs["patient"] = "a"
    return buffer.getvalue()


def _read_samples(path: Path) -> None:
    with SampleFile(path) as file:
        for name in file.names:
            file.dtype(name)
            file.read(name)


def _in_a_process(read: Callable[[Path], object]) -> Callable[[Path], None]:
    """Returns what reads a file as the server does: in a process that may end of it.

    HDF5 itself crashes, or never ends, of some.
    """

    def forked(path: Path) -> None:
        child, code = os.fork(), FAILED
        if not child:
            hdf5.ENDLESS_SECONDS = arrival_worker.ATTRIBUTE_SECONDS = 2.0
            try:
                read(path)
                code = 0
            except DlaeError as error:
                code = REFUSED if str(error) else FAILED
            finally:
                if code == FAILED:
                    traceback.print_exc()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code != FAILED
        if code:
            raise UnusableDataset([f"it cannot be used: {code}"])

    return forked


def _tables(folder: Path) -> Seeds:
    return [b"name,group\n0,a\n1,b\n2,a\n", b'0,"a b"\n1,\xc3\xbc\n']


def _arrays(folder: Path) -> Seeds:
    found = []
    for array in (np.zeros((3, 4, 4), np.float32), np.ones((2, 2), ">i2", order="F")):
        buffer = io.BytesIO()
        np.save(buffer, array)
        found.append(buffer.getvalue())
    return found


def _array_archives(folder: Path) -> Seeds:
    found = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, a=np.zeros((3, 4)), b=np.arange(9))
        found.append(buffer.getvalue())
    return found


def _read_arrays(path: Path) -> None:
    for stacked in (False, True):
        for _, read in array_parts(path, stacked):
            read()


def _volumes(folder: Path) -> Seeds:
    import nibabel

    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    images = [kind(values, np.eye(4)) for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image)]
    return [image.to_bytes() for image in images]


def _pictures(folder: Path) -> Seeds:
    from PIL import Image

    found = []
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    for kind in ("png", "tiff", "jpeg", "bmp"):
        image.save(buffer := io.BytesIO(), kind)
        found.append(buffer.getvalue())
    return found


def _slices(folder: Path) -> Seeds:
    from tests.dlae_core.data.packing.files import write_slice

    folder.mkdir(exist_ok=True, parents=True)
    elements = {"ImagePositionPatient": [0.0, 0.0, 0.0], "SeriesInstanceUID": "1.2"}
    write_slice(folder / "seed.dcm", np.zeros((4, 4), np.int16), elements)
    return [(folder / "seed.dcm").read_bytes()]


def _read_slices(path: Path) -> None:
    for _, read in dicom_parts([path]):
        read()


def _archives(folder: Path) -> Seeds:
    arrays = {"a": np.zeros((3, 3), np.float32), "b": np.arange(4)}
    write_archive(folder / "seed.dlae", Archive({"epoch": 3, "names": ["a"]}, arrays))
    return [(folder / "seed.dlae").read_bytes()]


def _manifests(folder: Path) -> Seeds:
    from tests.dlae_server.fakes import write_bundle

    (folder / "bundle").mkdir(parents=True)
    write_bundle(folder / "bundle", "{}")
    return [(folder / "bundle" / "manifest.json").read_bytes()]


def _read_bundle(path: Path) -> None:
    (path.parent / "bundle" / "manifest.json").write_bytes(path.read_bytes())
    model_from_bundle(path.parent / "bundle", Job(name="m"))


def _tokens(folder: Path) -> Seeds:
    folder.mkdir(exist_ok=True, parents=True)
    tokens.create(folder, "anna", "trainer")
    return [(folder / tokens.TOKENS_FILE).read_bytes()]


def _read_tokens(path: Path) -> None:
    (path.parent / tokens.TOKENS_FILE).write_bytes(path.read_bytes())
    grants = tokens.Grants(path.parent)
    assert grants.of_token("nobody") is None
    for grant in tokens.read_grants(path.parent):
        assert isinstance(grant.state, str)


def _contexts(folder: Path) -> Seeds:
    own = b'current = "a"\n[contexts.a]\nserver = "h:1"\ntls = true\n'
    return [own + b'[contexts."b.c"]\nproject = "p"\n']


def _read_contexts(path: Path) -> None:
    os.environ["XDG_CONFIG_HOME"] = str(path.parent)
    target = path.parent / "dlae" / "contexts.toml"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(path.read_bytes())
    target.chmod(0o600)
    try:
        read_contexts()
    except ClientError as error:
        raise InvalidRequest(str(error)) from error


def _weights(folder: Path) -> Seeds:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number in range(3):
            variables = file.create_group(f"layers/dense_{number}/vars")
            variables["0"], variables["1"] = np.zeros((4, 4)), np.zeros(4)
    old = io.BytesIO()
    with h5py.File(old, "w") as file:
        file.attrs["layer_names"] = [b"a", b"b"]
        for name in "ab":
            file.create_group(name).attrs["weight_names"] = [f"{name}/kernel".encode()]
            file[f"{name}/{name}/kernel"] = np.zeros((4, 4))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as into:
        into.writestr("config.json", json.dumps({"class_name": "Functional", "config": {}}))
        into.writestr("model.weights.h5", buffer.getvalue())
    return [buffer.getvalue(), old.getvalue(), archive.getvalue()]


def _read_weights(path: Path) -> None:
    with layers_by_kind(path) as kinds:
        for layers in kinds.values():
            for layer in layers:
                layer.arrays()


def _networks(ending: str) -> Callable[[Path], Seeds]:
    """Returns what makes a network with the parts of its description where damage finds them."""

    def seeds(folder: Path) -> Seeds:
        import keras

        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Conv2D(2, 3, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Flatten(),
                keras.layers.Dense(2),
            ]
        )
        model.save(folder / f"seed{ending}")
        return [(folder / f"seed{ending}").read_bytes()]

    return seeds


def _read_network(path: Path) -> None:
    import keras

    from dlae_core.inference.foreign import network_of_file

    text = {"config_file": {"model_signal": "CNN"}, "paths": {"load_model": "m"}}
    network_of_file(path, resolve_config(read_config(json.dumps(text)).config))
    keras.utils.clear_session()


FORMATS: dict[str, Format] = {
    "configuration": Format(".json", _configurations, _read_configuration, _damaged_json),
    "layers": Format(".txt", lambda folder: ["\n".join(FCN_LAYERS).encode()], _read_layers),
    "samples": Format(".h5", _samples, _read_samples),
    "arrival": Format(
        ".part",
        lambda f: [*_samples(f), *_tables(f), *_weights(f)],
        _in_a_process(arrival_worker.look),
    ),
    "array": Format(".npy", _arrays, _read_arrays),
    "arrays": Format(".npz", _array_archives, _read_arrays, _damaged_archive),
    "volume": Format(".nii", _volumes, read_nifti),
    "picture": Format(".png", _pictures, read_picture),
    "slices": Format(".dcm", _slices, _read_slices),
    "checkpoint": Format(".dlae", _archives, read_archive),
    "bundle": Format(".json", _manifests, _read_bundle, _damaged_json),
    "tokens": Format(".json", _tokens, _read_tokens, _damaged_json),
    "contexts": Format(".toml", _contexts, _read_contexts),
    "weights": Format(".h5", _weights, _in_a_process(_read_weights), _damaged_archive),
}
# Which load Keras.
NETWORKS: dict[str, Format] = {
    "network": Format(".keras", _networks(".keras"), _read_network, _damaged_archive),
    "network of keras 2": Format(".h5", _networks(".h5"), _read_network, _damaged_attribute),
}
