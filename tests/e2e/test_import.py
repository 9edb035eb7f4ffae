"""A model of DLAE 1.0 and one of Keras, imported through the real server, and used."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dlae_client.cli.main import group
from dlae_client.client import Client
from dlae_server.main import main as server_command
from examples.session import running_server
from tests.sessions import config_text

pytestmark = [pytest.mark.keras, pytest.mark.slow]

LAYERS = ["Input:(8, 8, 1)", "Convolution 2D:2:(3, 3)", "Activation:softmax"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and a network that Keras made and saved."""
    import keras

    place = tmp_path_factory.mktemp("import")
    scaling = {"normalization_type": "global_unity_x", "maximum_image_intensity": 4.0}
    changes = {f"preprocessing__{key}": value for key, value in scaling.items()}
    changes["layers__serial_layer_list"] = LAYERS
    (place / "config.json").write_text(config_text(place, **changes))
    image = keras.Input((8, 8, 1))
    output = keras.layers.Conv2D(2, 3, padding="same", activation="softmax")(image)
    network = keras.Model(image, output)
    network.save(place / "a.keras")
    network.save(place / "a.h5")
    return place


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """The address of a real server."""
    with running_server(folder / "run") as address:
        yield address


def run(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(group, list(map(str, words)))
    assert done.exit_code == code, done.output
    return str(done.output)


def test_an_imported_model_predicts_what_its_network_does(folder: Path, server: str) -> None:
    import keras

    config = folder / "config.json"
    for number, file in enumerate(("a.keras", "a.h5"), start=1):
        words = ("--server", server, "models", "import", folder / file, "--config", config)
        told = run(*words, "--name", "old", "--why", "2019")
        assert told.startswith(f"stored old@{number}: the network of model.")
    images = np.random.default_rng(2).random((3, 8, 8, 1), np.float32)
    network = keras.models.load_model(folder / "a.keras")
    expected = network(images / 4)
    with Client(server) as client:
        for model in ("old@1", "old"):
            found = client.predict(model, images)
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert client.fetch("old", folder / "fetched").is_dir()
        card = client.model_card("old")
        assert "Imported: whether its" in card.markdown
        assert str(folder) not in card.markdown + card.json


def test_an_imported_model_becomes_a_saved_model_and_mistakes_are_told(
    folder: Path, server: str
) -> None:
    import tensorflow as tf

    place = ["--data-dir", str(folder / "run" / "server")]
    output = folder / "saved"
    done = CliRunner().invoke(server_command, [*place, "export", "old@1", "-o", str(output)])
    assert done.output == f"wrote old@1 to {output}\n"
    assert "serving_default" in tf.saved_model.load(str(output)).signatures
    wrong = json.loads((folder / "config.json").read_text())
    wrong["learning_rate_schedule"]["learning_rate"] = -1
    (folder / "wrong.json").write_text(json.dumps(wrong))
    words = ("--server", server, "models", "import", folder / "a.keras", "--name", "x")
    assert "learning_rate" in run(*words, "--config", folder / "wrong.json", code=3)
    told = run(*words[:4], folder / "config.json", *words[5:], "--config", "x", code=1)
    assert "expected a model ending in .keras or .h5" in told
