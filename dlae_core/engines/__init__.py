"""Engines: what runs a trained network on a batch, behind one small interface."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs a network."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...), for prepared images.

        Args:
            batch: float32 (batch, *space, channels).
        """
        ...
