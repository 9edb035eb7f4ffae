"""Initial weights of a network from files of other networks, by order or by name."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from dlae_core.backbones.stored_weights import ANY, kind_of, layers_by_kind
from dlae_core.errors import IncompatibleArtifact, WeightsNotFound
from dlae_core.transfer.alignment import Layers, Stored, aligned
from dlae_core.transfer.detectors import arranged

# Layers that a sentence names at most.
_NAMED = 5


@dataclass(frozen=True)
class Transfer:
    """What became of the weights of a file.

    Attributes:
        matched: Layers of the network that have weights of the file, each with its name there.
        missing: Layers of the network that keep their initial weights.
        unused: Layers of the file that no layer has taken.
    """

    matched: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{len(self.matched)} of {len(self.matched) + len(self.missing)} layers"
        if self.missing:
            text += f"; {_named(self.missing)} keep their initial weights"
        if self.unused:
            text += f"; {_named(self.unused)} of the file are not used"
        return text


def take_weights(model: keras.Model, path: Path, by_name: bool) -> Transfer:
    """Sets weights of a network from a `.keras`, `.weights.h5` or `.h5` file.

    By order, layers belong together whose weights have the same shapes, in the order of both
    networks, as many as possible; files of Keras 3 tell the order within each kind of layer only,
    and the heads of DLAE 1.0's detectors are brought into ours.
    By name, those of one name and the same shapes do. Nothing but arrays is read: no configuration,
    no code.

    Raises:
        WeightsNotFound: There is no such file.
        IncompatibleArtifact: It is no weights file, or nothing in it fits.
        CorruptArtifact: It is damaged.
    """
    if not path.is_file():
        raise WeightsNotFound(f"expected a file of weights, found none at {path}")
    with layers_by_kind(path) as stored:
        return take_layers(model, stored, by_name, path.name)


def take_layers(model: keras.Model, stored: Layers, by_name: bool, source: str) -> Transfer:
    """Sets weights of a network from stored layers, as `take_weights` does.

    Args:
        model: The network.
        stored: Layers by kind, all of kind `ANY` where their whole order is known.
        by_name: Whether names decide, not the order.
        source: Name of the file.

    Raises:
        IncompatibleArtifact: Nothing fits.
    """
    own = [layer for layer in _leaves(model) if layer.weights]
    stored = stored if by_name else arranged(own, stored)
    pairs = _by_name(own, stored) if by_name else _by_order(own, stored)
    if not pairs:
        how = "name" if by_name else "shape"
        raise IncompatibleArtifact(
            f"expected weights of the network in {source}, found no layer of the same {how}; give "
            "the weights of a similar network"
        )
    for layer, found in pairs:
        layer.set_weights(found.arrays())
    taken, used = ({id(one) for one in side} for side in zip(*pairs, strict=True))
    return Transfer(
        tuple((layer.name, found.name) for layer, found in pairs),
        tuple(layer.name for layer in own if id(layer) not in taken),
        tuple(one.name for layers in stored.values() for one in layers if id(one) not in used),
    )


def _by_order(own: Sequence[keras.Layer], stored: Layers) -> list[tuple[keras.Layer, Stored]]:
    kinds: dict[str, list[keras.Layer]] = defaultdict(list)
    for layer in own:
        kinds[ANY if ANY in stored else kind_of(type(layer).__name__)].append(layer)
    pairs = []
    for kind, layers in kinds.items():
        found = stored.get(kind, ())
        places = aligned([_shapes(layer) for layer in layers], [one.shapes for one in found])
        pairs += [(layers[i], found[j]) for i, j in places]
    return pairs


def _by_name(own: Sequence[keras.Layer], stored: Layers) -> list[tuple[keras.Layer, Stored]]:
    named = {one.name: one for layers in stored.values() for one in layers}
    return [
        (layer, named[layer.name])
        for layer in own
        if layer.name in named and named[layer.name].shapes == _shapes(layer)
    ]


def _leaves(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers of a network, those of networks inside of it in their place."""
    return [
        leaf
        for layer in model.layers
        for leaf in (_leaves(layer) if isinstance(layer, keras.Model) else [layer])
    ]


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
