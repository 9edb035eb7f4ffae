"""Weights of detectors from files of DLAE 1.0, whose heads are kept in another order and form.

Its files hold, in this order: the layers of the list; somewhere among the last of them the factors
of the first hook's features, `(channels,)`; the class predictions of all hooks; their box offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dlae_core.backbones.stored_weights import ANY, layers_by_kind
from dlae_core.transfer.alignment import Stored
from dlae_core.transfer.weights import Transfer, take_layers

_FACTORS = "l2_normalization"


@dataclass(frozen=True)
class _Head:
    """A layer of a file under the name that it has here, and in the shapes that it has here.

    Attributes:
        name: Name in our network.
        stored: The layer in the file.
        shapes: Of its weights in our network.
    """

    name: str
    stored: Stored
    shapes: list[tuple[int, ...]]

    def arrays(self) -> list[NDArray[np.float32]]:
        """Reads the weights."""
        return [
            array.reshape(shape)
            for array, shape in zip(self.stored.arrays(), self.shapes, strict=True)
        ]


def take_detector(model: keras.Model, path: Path) -> Transfer | None:
    """Sets the weights of a detector from a file of DLAE 1.0; None where it is none.

    Raises:
        IncompatibleArtifact: It is no file of weights, or nothing of its body fits.
        CorruptArtifact: It is damaged.
    """
    with layers_by_kind(path) as kinds:
        found = list(kinds.get(ANY, ()))
        heads = _heads(model, found)
        if not heads:
            return None
        taken = {id(head.stored) for head in heads}
        body = [one for one in found if id(one) not in taken]
        first = take_layers(model, {ANY: body}, False, path.name)
        second = take_layers(model, {ANY: heads}, True, path.name)
    named = {head.name: head.stored.name for head in heads}
    matched = tuple(pair for pair in first.matched if pair[0] not in named)
    return Transfer(
        (*matched, *((name, named[name]) for name, _ in second.matched)),
        tuple(name for name in first.missing if name in second.missing),
        first.unused,
    )


def _heads(model: keras.Model, found: Sequence[Stored]) -> list[_Head]:
    """Returns the layers of a file that are the heads; none where they do not fit."""
    names = {layer.name for layer in model.layers}
    hooks = 0
    while f"hook{hooks}_offsets" in names:
        hooks += 1
    factors = [one for one in found if one.name.startswith(_FACTORS)]
    if not hooks or len(factors) != 1 or len(found) < 2 * hooks:
        return []
    wanted = [f"hook{hook}_{kind}" for kind in ("classes", "offsets") for hook in range(hooks)]
    chosen = zip(["hook0_scaling", *wanted], [*factors, *found[-2 * hooks :]], strict=True)
    heads = [_Head(name, stored, _shapes(model.get_layer(name))) for name, stored in chosen]
    return heads if all(_fits(head) for head in heads) else []


def _fits(head: _Head) -> bool:
    own = [tuple(length for length in shape if length > 1) for shape in head.shapes]
    stored = [tuple(length for length in shape if length > 1) for shape in head.stored.shapes]
    return own == stored


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
