"""Layers of a checkpoint, as those of a file of weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlae_core.backbones.stored_weights import ANY
from dlae_core.checkpoints.archive import Archive
from dlae_core.steps import MODEL
from dlae_core.transfer.alignment import Layers

# Random layers have a state, which is no weight.
_SEED = "seed_generator"


@dataclass(frozen=True, eq=False)
class ArchivedLayer:
    """A layer in a checkpoint."""

    name: str
    weights: tuple[NDArray[np.float32], ...]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the weights."""
        return [weight.shape for weight in self.weights]

    def arrays(self) -> list[NDArray[np.float32]]:
        """Returns the weights."""
        return list(self.weights)


def layers_of_archive(archive: Archive) -> Layers:
    """Returns the layers of a checkpoint that have weights, in their order."""
    weights: dict[str, list[NDArray[np.float32]]] = {}
    for number, path in enumerate(archive.facts["variables"]):
        layer, _, name = path.rpartition("/")
        if _SEED not in path and name:
            weights.setdefault(layer, []).append(archive.arrays[f"{MODEL}{number:05d}"])
    return {ANY: [ArchivedLayer(name, tuple(arrays)) for name, arrays in weights.items()]}
