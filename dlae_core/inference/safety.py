"""Networks in files of others, before they are built: of plain parts of Keras only.

Keras itself refuses code in a file where it knows of it. Here nothing is built that is not known to
be harmless: no functions, no layers that load other files or run programs, no classes of others.
"""

import importlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import constraints, initializers, layers, regularizers

from dlae_core.checkpoints.archive import FOLDER
from dlae_core.data.hdf5 import ending_value

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
# A description of the largest networks of the literature takes a few MB.
_TEXT_BYTES = 64 << 20
# Where the layers are defined that calculate, and do nothing else.
_PLAIN = (
    *(f"keras.src.layers.{kind}." for kind in ("activations", "attention", "convolutional")),
    *(f"keras.src.layers.{kind}." for kind in ("merging", "normalization", "pooling")),
    *(f"keras.src.layers.{kind}." for kind in ("regularization", "reshaping")),
    *(
        f"keras.src.layers.core.{kind}"
        for kind in ("dense", "einsum_dense", "embedding", "identity", "input_layer", "masking")
    ),
    "keras.src.layers.preprocessing.normalization",
    "keras.src.layers.preprocessing.rescaling",
)
_OPERATIONS = ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.math")
_ENTRIES = (CONFIG, WEIGHTS, "metadata.json")
# Several times those of the largest networks of the literature.
_MOST_LAYERS = 3000
_VALUES = ("__keras_tensor__", "__numpy__", "__tensor__", "__slice__", "__ellipsis__")
_CONTAINERS = ("Functional", "Sequential", "Model", "DTypePolicy", "Policy")
# Functions that were another one in Keras 2.
_CHANGED = ("hard_sigmoid",)


def network_text(path: Path) -> str | None:
    """Returns the description of the network in a `.keras` or `.h5` file, None where it has none.

    Raises:
        OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile: The file is damaged.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(CONFIG).file_size > _TEXT_BYTES:
                raise ValueError(f"{CONFIG} is larger than any network's")
            return archive.read(CONFIG).decode()
    with h5py.File(path, "r") as file:
        text = ending_value(file.attrs, "model_config") if "model_config" in file.attrs else None
        return text.decode() if isinstance(text, bytes) else text


def obstacles(path: Path, text: str) -> list[str]:
    """Returns what keeps a network from being built from its file, each thing once.

    Raises:
        ValueError, RecursionError: The text is no JSON, or nested as no network is.
        OSError, KeyError, RuntimeError, zipfile.BadZipFile: The file is damaged.
    """
    old = not zipfile.is_zipfile(path)
    parts = list(_parts(json.loads(text)))
    found = [_obstacle(part, old) for part in parts]
    layers_there = sum(_is_layer(str(part["class_name"])) for part in parts)
    if layers_there > _MOST_LAYERS:
        found.append(f"{layers_there} layers where {_MOST_LAYERS} are the most")
    found += list(_links(path))
    return list(dict.fromkeys(filter(None, found)))


def weights_at_most(count: int) -> AbstractContextManager[None]:
    """Has networks of more weights fail with a `ValueError` before these are given memory.

    Args:
        count: Such as the bytes of the file that the weights are in.
    """
    left = count

    def create(following: Callable[..., tf.Variable], **settings: Any) -> tf.Variable:
        nonlocal left
        value = settings["initial_value"]
        if callable(value):
            # In a graph, values have a shape and take no memory.
            with tf.Graph().as_default():
                left -= value().shape.num_elements() or 0
        else:
            left -= np.size(value)
        if left < 0:
            raise ValueError("it has more weights than its file can hold")
        return following(**settings)

    context: AbstractContextManager[None] = tf.variable_creator_scope(create)
    return context


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yields everything in a description that names a class."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def _obstacle(part: dict[str, Any], old: bool) -> str:
    name, module = str(part["class_name"]), part.get("module")
    config = part.get("config")
    if module in _OPERATIONS and _is_operation(module, name):
        return ""
    if not (module is None or module == "keras" or str(module).startswith("keras.")):
        return "" if name in _VALUES and module == "builtins" else f"'{name}' of '{module}'"
    if name in (*_CONTAINERS, *_VALUES) or _is_plain(name):
        changed = old and isinstance(config, dict) and config.get("activation") in _CHANGED
        return (
            f"'{config['activation']}', another function in Keras 2" if changed and config else ""
        )
    return f"'{name}'"


def _is_operation(module: str, name: str) -> bool:
    """Returns whether a class is an operation that has no layer of its own, such as `Add`."""
    found = getattr(importlib.import_module(module), name, None)
    return isinstance(found, type) and issubclass(found, keras.Operation)


def _is_layer(name: str) -> bool:
    layer = getattr(layers, name, None)
    return isinstance(layer, type) and issubclass(layer, keras.Layer)


def _is_plain(name: str) -> bool:
    """Returns whether a class is a layer that only calculates, or one of their settings."""
    if _is_layer(name):
        return str(getattr(layers, name).__module__).startswith(_PLAIN)
    kinds = (
        (initializers, keras.Initializer),
        (regularizers, keras.Regularizer),
        (constraints, constraints.Constraint),
    )
    return any(
        isinstance(found := getattr(room, name, None), type) and issubclass(found, kind)
        for room, kind in kinds
    )


def _links(path: Path) -> Iterator[str]:
    """Yields the parts of a file's weights that lie in other files."""
    if not zipfile.is_zipfile(path):
        with h5py.File(path, "r") as file:
            yield from _links_of(file, set())
        return
    with zipfile.ZipFile(path) as archive:
        # Keras unpacks all of them for layers that have files, of which none is plain.
        yield from (
            f"'{name[:40]}' beside its network"
            for name in archive.namelist()
            if name not in _ENTRIES and not name.startswith(FOLDER)
        )
        entry = archive.getinfo(WEIGHTS)
        # Keras does not compress: what grows on reading is no model.
        if entry.compress_type != zipfile.ZIP_STORED:
            yield "compressed weights"
            return
        with archive.open(entry) as weights, h5py.File(weights, "r") as file:
            yield from _links_of(file, set())


def _links_of(group: h5py.Group, seen: set[int]) -> Iterator[str]:
    # Groups can be parts of many others, and of themselves.
    place = h5py.h5o.get_info(group.id).addr
    if place in seen:
        yield "the same weights in several places"
        return
    seen.add(place)
    for name in group:
        if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            yield f"the link '{name}' in its weights"
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _links_of(item, seen)
        elif item.external or item.is_virtual:
            yield f"'{name}' in its weights, which lies in another file"
