"""Which data files of a configuration are on this machine, and references in their place."""

import json
from pathlib import Path

import pytest

from dlae.v1.config_pb2 import Config
from dlae.v1.training_pb2 import ConfigSource
from dlae_client import Client
from dlae_client.configuration import config_source
from dlae_client.local_data import local_files, local_model, with_references

SHA = f"sha256:{'a' * 64}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of data."""
    for name in ("X.h5", "y.h5", "groups.csv"):
        (tmp_path / name).touch()
    return tmp_path


def source(folder: Path, kind: str = "Train", **paths: object) -> ConfigSource:
    """Returns a configuration as it is sent."""
    path = folder / "config.json"
    path.write_text(json.dumps({"config_file": {"type_signal": kind}, "paths": paths}))
    return config_source(path)


def test_files_of_a_training_are_found_and_others_left(folder: Path) -> None:
    given = source(
        folder,
        train_X="X.h5",
        train_y="none.h5",
        validation_X="dataset:ct@2",
        validation_y=SHA,
        split_groups="groups.csv",
        test_X="y.h5",
        load_checkpoint="y.h5",
    )
    found = {"train_X": folder / "X.h5", "split_groups": folder / "groups.csv"}
    assert local_files(given) == found
    paths = json.loads(with_references(given, {"train_X": SHA}).json)["paths"]
    assert paths["train_X"] == SHA
    assert paths["validation_X"] == "dataset:ct@2"
    assert paths["split_groups"] == str(folder / "groups.csv")


def test_an_inference_session_reads_its_images_and_network_only(folder: Path) -> None:
    given = source(folder, "Inference ", train_X="X.h5", test_X="y.h5", load_model="X.h5")
    assert local_files(given) == {"test_X": folder / "y.h5", "load_model": folder / "X.h5"}
    # A model of the server is no file, whatever else is there.
    assert local_files(source(folder, "Inference", load_model="tissue@3")) == {}


def test_a_training_that_goes_on_reads_its_checkpoint(folder: Path) -> None:
    given = source(folder, "Train from Checkpoint", train_X="X.h5", load_checkpoint="y.h5")
    assert local_files(given) == {"train_X": folder / "X.h5", "load_checkpoint": folder / "y.h5"}
    assert json.loads(with_references(given, {"load_checkpoint": SHA}).json)["paths"] == {
        "train_X": str(folder / "X.h5"),
        "load_checkpoint": SHA,
    }


def test_a_message_has_its_network_replaced_too(folder: Path) -> None:
    config = Config()
    config.config_file.type_signal = "Inference"
    config.paths.load_model = str(folder / "X.h5")
    given = config_source(config)
    assert local_files(given) == {"load_model": folder / "X.h5"}
    assert with_references(given, {"load_model": SHA}).config.paths.load_model == SHA


def test_the_folder_of_a_model_is_known_as_one(folder: Path) -> None:
    (folder / "tissue").mkdir()
    (folder / "tissue" / "manifest.json").touch()
    assert local_model(source(folder, "Inference", load_model="tissue")) == folder / "tissue"
    assert local_model(source(folder, "Train", load_model="tissue")) is None
    assert local_model(source(folder, "Inference", load_model="X.h5")) is None


def test_a_message_is_treated_alike(folder: Path) -> None:
    config = Config()
    config.paths.train_x = str(folder / "X.h5")
    given = config_source(config)
    assert local_files(given) == {"train_X": folder / "X.h5"}
    changed = with_references(given, {"train_X": SHA})
    assert changed.config.paths.train_x == SHA
    assert given.config.paths.train_x == str(folder / "X.h5")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"paths": 3}', '{"paths": {"train_X": 3}}'])
def test_what_is_no_configuration_has_no_files(text: str) -> None:
    assert local_files(ConfigSource(json=text)) == {}


def test_an_older_server_gets_the_paths_as_they_are(client: Client, folder: Path) -> None:
    given = source(folder, train_X="X.h5")
    assert client.with_data(given) == (given, [])
