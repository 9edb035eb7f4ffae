"""Reading of weights files: the arrays of each layer, layer by layer, as the network has them.

Only HDF5 is read, never a configuration or code of a model:

    legacy weights    `layer_names` and, per layer, `weight_names`, in the order of the network
    legacy model      the same under `model_weights`
    `.weights.h5`     `layers/<kind>[_<number>]/vars/<number>`, numbered through each kind of layer
    `.keras`          an archive with the same in `model.weights.h5`
"""

import re
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.hdf5 import ending_value
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact

ARCHIVED = "model.weights.h5"
# Kind of the layers of a file that tells the order of all its layers, whatever they are.
ANY = ""

# All that h5py and zipfile raise for a file that is damaged: what it is depends on the byte.
DAMAGED = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class StoredLayer:
    """The weights of a layer in an open file."""

    name: str
    datasets: tuple[h5py.Dataset, ...]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the weights."""
        return [tuple(dataset.shape) for dataset in self.datasets]

    def arrays(self) -> list[NDArray[np.float32]]:
        """Reads the weights."""
        return [np.asarray(dataset[()], np.float32) for dataset in self.datasets]


Kinds = dict[str, list[StoredLayer]]
# Several times those of the largest networks of the literature.
_MOST_LAYERS = 5000


@contextmanager
def layers_by_kind(path: Path) -> Iterator[Kinds]:
    """Opens a weights file and yields its layers that have weights, by kind and in order.

    Older files tell the order of all layers, which are of the kind `ANY`; newer ones that of the
    layers of each kind, named as `kind_of` does.

    Raises:
        IncompatibleArtifact: It is no weights file.
        CorruptArtifact: It is damaged, or refers to other files.
    """
    try:
        with _hdf5(path) as file, h5py.File(file, "r") as root:
            found = _layers(path, root)
            if sum(map(len, found.values())) > _MOST_LAYERS:
                raise ValueError("more layers than any network has")
            yield found
    except DAMAGED as error:
        raise damaged(path) from error


@contextmanager
def stored_layers(path: Path, kinds: Sequence[str]) -> Iterator[list[StoredLayer]]:
    """Opens a weights file and yields its layers that have weights.

    Args:
        path: The file.
        kinds: Classes of the network's layers that have weights, in its order; they tell the order
            of the newer files, which number each kind by itself.

    Raises:
        IncompatibleArtifact: It is no weights file.
        CorruptArtifact: It is damaged, or refers to other files.
    """
    with layers_by_kind(path) as found:
        if ANY in found:
            yield found[ANY]
            return
        taken = {kind: iter(layers) for kind, layers in found.items()}
        chosen = [next(taken.get(kind_of(kind), iter(())), None) for kind in kinds]
        yield [layer or StoredLayer("", ()) for layer in chosen]


def kind_of(name: str) -> str:
    """Returns how the newer files name layers of a class: `conv2d` for `Conv2D`."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def damaged(path: Path) -> CorruptArtifact:
    """Returns the error for a file that cannot be read."""
    return CorruptArtifact(
        f"expected weights in {path.name}, found a damaged file; copy or download it again"
    )


@contextmanager
def _hdf5(path: Path) -> Iterator[Path]:
    """Yields the path of the HDF5 file itself, or of a copy of that in an archive."""
    if not zipfile.is_zipfile(path):
        yield path
        return
    with zipfile.ZipFile(path) as archive, tempfile.NamedTemporaryFile() as copy:
        entry = archive.getinfo(ARCHIVED)
        # Keras does not compress: what grows on reading is no model.
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > path.stat().st_size:
            raise damaged(path)
        with archive.open(entry) as file:
            shutil.copyfileobj(file, copy)
        copy.flush()
        yield Path(copy.name)


def _layers(path: Path, root: h5py.Group) -> Kinds:
    if _has(root, "model_weights"):
        root = _item(root, "model_weights")
    if "layer_names" in root.attrs or "layer_names0" in root.attrs:
        return {ANY: _in_order(root)}
    if _has(root, "layers"):
        return _by_kind(_item(root, "layers"), set())
    raise IncompatibleArtifact(
        f"expected weights in {path.name}, a .weights.h5, .h5 or .keras file of Keras, found "
        "something else"
    )


def _in_order(root: h5py.Group) -> list[StoredLayer]:
    layers = []
    for name in _texts(root, "layer_names"):
        group = _item(root, name)
        weights = _texts(group, "weight_names")
        if weights:
            layers.append(StoredLayer(name, tuple(_item(group, weight) for weight in weights)))
    return layers


def _by_kind(root: h5py.Group, seen: set[int]) -> Kinds:
    # Groups can be parts of many others, and of themselves.
    place = h5py.h5o.get_info(root.id).addr
    if place in seen or len(root) > _MOST_LAYERS:
        raise ValueError("more layers than any network has, or the same ones again and again")
    seen.add(place)
    found: Kinds = defaultdict(list)
    for name in sorted(root, key=_kind_and_number):
        group = _item(root, name)
        variables: Any = _item(group, "vars") if _has(group, "vars") else None
        if variables is not None and len(variables):
            datasets = tuple(_item(variables, number) for number in sorted(variables, key=int))
            named = "name" in variables.attrs
            given = str(ending_value(variables.attrs, "name")) if named else name
            found[_kind_and_number(name)[0]].append(StoredLayer(given, datasets))
        if _has(group, "layers"):
            # A network inside the network.
            for kind, layers in _by_kind(_item(group, "layers"), seen).items():
                found[kind] += layers
    return dict(found)


def _kind_and_number(name: str) -> tuple[str, int]:
    kind, _, number = name.rpartition("_")
    return (kind, int(number)) if kind and number.isdecimal() else (name, 0)


def _texts(group: h5py.Group, attribute: str) -> list[str]:
    """Returns the texts of an attribute, which large networks have in numbered parts."""
    parts = [ending_value(group.attrs, attribute)] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(ending_value(group.attrs, f"{attribute}{len(parts)}"))
    texts = [text for part in parts for text in part]
    return [text.decode() if isinstance(text, bytes) else str(text) for text in texts]


def _has(group: h5py.Group, name: str) -> bool:
    """Returns whether there is such a part, without following a link."""
    return bool(group.id.links.exists(name.encode()))


def _item(group: h5py.Group, name: str) -> Any:
    """Returns a part of a file; never something that lies in another one."""
    for part in name.split("/"):
        if group.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{name} is a link")
        group = group[part]
    if isinstance(group, h5py.Dataset) and (group.external or group.is_virtual):
        raise ValueError(f"{name} lies in another file")
    return group
