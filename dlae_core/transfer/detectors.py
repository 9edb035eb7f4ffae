"""Detectors in files of DLAE 1.0, which keep their heads in another order and form.

Its files hold, in this order: the layers of the list; somewhere among the last of them the factors
of the first hook's features, `(channels,)`; the class predictions of all hooks; their box offsets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from dlae_core.backbones.stored_weights import ANY
from dlae_core.transfer.alignment import Layers, Shapes, Stored

_FACTORS = "l2_normalization"


@dataclass(frozen=True)
class _Head:
    """A layer of a file in the shapes that it has here.

    Attributes:
        stored: The layer in the file.
        shapes: Of its weights in our network.
    """

    stored: Stored
    shapes: Shapes

    @property
    def name(self) -> str:
        """Name in the file."""
        return self.stored.name

    def arrays(self) -> list[NDArray[np.float32]]:
        """Reads the weights."""
        return [
            array.reshape(shape)
            for array, shape in zip(self.stored.arrays(), self.shapes, strict=True)
        ]


def arranged(own: Sequence[keras.Layer], stored: Layers) -> Layers:
    """Returns layers of a file in the order of a network, if both are the same kind of detector.

    Args:
        own: Layers of the network that have weights.
        stored: Layers of the file by kind; those of others come back as they are.
    """
    found = list(stored.get(ANY, ()))
    heads = _heads({layer.name: layer for layer in own}, found)
    if not heads:
        return stored
    taken = {id(head.stored) for head in heads.values()}
    body = iter([one for one in found if id(one) not in taken])
    placed = [heads.get(layer.name) or next(body, None) for layer in own]
    return {ANY: [one for one in (*placed, *body) if one is not None]}


def _heads(own: Mapping[str, keras.Layer], found: Sequence[Stored]) -> dict[str, _Head]:
    """Returns the layers of a file that are heads, by our names; none where they do not fit."""
    hooks = 0
    while f"hook{hooks}_offsets" in own:
        hooks += 1
    factors = [one for one in found if one.name.startswith(_FACTORS)]
    if not hooks or len(factors) != 1 or len(found) < 2 * hooks:
        return {}
    names = [f"hook{hook}_{kind}" for kind in ("classes", "offsets") for hook in range(hooks)]
    chosen = zip(["hook0_scaling", *names], [*factors, *found[-2 * hooks :]], strict=True)
    heads = {
        name: _Head(stored, [tuple(weight.shape) for weight in own[name].weights])
        for name, stored in chosen
    }
    return heads if all(_fits(head) for head in heads.values()) else {}


def _fits(head: _Head) -> bool:
    """Returns whether a layer has our shapes, but for axes of length 1."""
    own, stored = (
        [tuple(length for length in shape if length > 1) for shape in shapes]
        for shapes in (head.shapes, head.stored.shapes)
    )
    return own == stored
