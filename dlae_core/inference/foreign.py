"""Networks from files that DLAE did not make: as they stand in the file, or built anew."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import lists_of_model
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact
from dlae_core.families.table import family_of
from dlae_core.inference.safety import network_text, obstacles, weights_at_most
from dlae_core.transfer.weights import take_weights

ENDINGS = (".keras", ".h5", ".hdf5")
# What Keras, h5py and zipfile raise for files that are damaged or of versions they do not know.
FAILURES = (
    *(ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError),
    *(TypeError, ValueError, zipfile.BadZipFile),
)


@dataclass(frozen=True)
class Taken:
    """A network of a file.

    Attributes:
        model: The network, of one image and one output.
        report: What was taken of the file.
    """

    model: keras.Model
    report: str


def network_of_file(path: Path, config: Config) -> Taken:
    """Returns the network of a `.keras` or `.h5` file of Keras 2, Keras 3 or DLAE 1.0.

    Where the file describes its network and consists of plain layers of Keras, that one; else the
    network of the configuration's layers with the weights of the file, matched by order or name as
    `match_weights_by` says. No code of a file is ever run.

    Differs: DLAE 1.0 could not load CNN and FCN that were trained with losses of its own (I1).

    Args:
        path: The file.
        config: Resolved and checked; its layers may be left out.

    Raises:
        IncompatibleArtifact: The network cannot be had from this file.
        CorruptArtifact: The file is damaged.
        InvalidConfig: The layers do not fit together.
    """
    if not path.name.endswith(ENDINGS):
        raise IncompatibleArtifact(
            f"expected the folder of a model or a file that ends in {', '.join(ENDINGS)}, got "
            f"{path.name}"
        )
    own = _own_network(path)
    if isinstance(own, str):
        return _rebuilt(path, config, own)
    if len(own.inputs) != 1 or len(own.outputs) != 1:
        raise IncompatibleArtifact(
            f"expected a network of one image and one output in {path.name}, got "
            f"{len(own.inputs)} inputs and {len(own.outputs)} outputs"
        )
    model = _of_fixed_size(own, path, config)
    return Taken(model, f"the network of {path.name} is used with its {_counted(model)}")


def _own_network(path: Path) -> keras.Model | str:
    """Returns the network that a file describes; why it cannot be built, as a text.

    Raises:
        CorruptArtifact: The file is damaged.
    """
    try:
        text = network_text(path)
        if text is None:
            return "it holds weights only"
        found = obstacles(path, text)
    except RecursionError:
        return "its description is nested too deeply"
    except json.JSONDecodeError:
        return "its description of the network cannot be read"
    except FAILURES as error:
        raise _damaged(path) from error
    if found:
        return f"it holds {', '.join(found[:5])}, which cannot be taken over safely"
    try:
        with _known_by_name(path) as named, weights_at_most(path.stat().st_size):
            model = keras.models.load_model(named, compile=False, safe_mode=True)
    except (*FAILURES, tf.errors.OpError) as error:
        return f"Keras cannot build it ({_first_line(error)})"
    return model if isinstance(model, keras.Model) else "it holds no network"


@contextmanager
def _known_by_name(path: Path) -> Iterator[Path]:
    """Yields a file, or a copy of it, with the ending by which Keras tells its formats."""
    if path.suffix == ENDINGS[0] or not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copyfile(path, Path(folder) / f"{path.stem}{ENDINGS[0]}"))


def _rebuilt(path: Path, config: Config, reason: str) -> Taken:
    """Returns the network of the configuration's layers with the weights of a file.

    Raises:
        IncompatibleArtifact: There are no layers, or not all of them find their weights.
        CorruptArtifact: The file is damaged.
        InvalidConfig: The layers do not fit together.
    """
    layers = lists_of_model(config)[0]
    if not layers.layers:
        raise IncompatibleArtifact(
            f"the network in {path.name} is not built, as {reason}; give its layers in "
            f"{layers.path}, so that it can be built from them"
        )
    model = family_of(config).networks(_without_weights(config))[0].model
    by_name = config.training_configurations.match_weights_by == "name"
    transfer = take_weights(model, path, by_name)
    if transfer.missing:
        raise IncompatibleArtifact(
            f"expected weights for every layer in {path.name}, whose own network is not built, as "
            f"{reason}; found those of {transfer}; give the layers that it was made of"
        )
    return Taken(model, f"{path.name} gives weights to the layers of this session: {transfer}")


def _without_weights(config: Config) -> Config:
    """Returns a configuration whose backbones begin with random weights: others come."""
    copy = Config()
    copy.CopyFrom(config)
    for _, layers in copy.layers.ListFields():
        for layer in layers:
            if layer.WhichOneof("type") == "backbone":
                layer.backbone.weights = "none"
    return copy


def _of_fixed_size(model: keras.Model, path: Path, config: Config) -> keras.Model:
    """Returns a network whose axes all have a length; the configuration gives those left open.

    Raises:
        IncompatibleArtifact: An axis is open, and the configuration does not fit it.
    """
    shape = tuple(model.input_shape[1:])
    if None not in shape:
        return model
    given = tuple(config.config_file.input_shape)
    fits = len(given) == len(shape)
    if not fits or any(own not in (None, one) for own, one in zip(shape, given, strict=True)):
        raise IncompatibleArtifact(
            f"expected config_file.input_shape to say the size of the images, as the network in "
            f"{path.name} takes images of {_shown(shape)}; got {given or 'nothing'}"
        )
    image = keras.Input(given, name="image")
    return keras.Model(image, model(image), name="model")


def _counted(model: keras.Model) -> str:
    return f"{model.count_params()} weights in {len(model.layers)} layers"


def _damaged(path: Path) -> CorruptArtifact:
    return CorruptArtifact(
        f"expected a network in {path.name}, found a damaged file; copy or download it again"
    )


def _shown(shape: tuple[Any, ...]) -> str:
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
