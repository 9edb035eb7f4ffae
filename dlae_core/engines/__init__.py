"""Engines: what runs a trained network on a batch, behind one small interface.

Every module here that is named like a package on PyPI is an engine and has a function
`load(path, threads)`. It is imported when it is used: of those that serve only the reference loads
TensorFlow.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs a network, for one caller at a time."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the network's output, float32 (batch, ...), for prepared images.

        Args:
            batch: float32 (batch, *space, channels), of at least one image.
        """
        ...
