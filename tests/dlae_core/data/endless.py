"""A file that HDF5 never ends reading."""

from pathlib import Path

import h5py
import numpy as np


def write_endless_text(path: Path) -> None:
    """Writes a file with an attribute whose text HDF5 would read for ever.

    The rest of a heap of texts says that it has no length: HDF5 comes back to it for ever.
    """
    with h5py.File(path, "w") as file:
        file["0"] = np.zeros(3)
        file["0"].attrs["patient"] = "a"
    content = bytearray(path.read_bytes())
    rest = content.index(b"GCOL") + 48
    content[rest : rest + 8] = bytes(8)
    path.write_bytes(content)
