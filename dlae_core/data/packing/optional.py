"""Readers of file formats that are installed on wish."""

import importlib
from types import ModuleType

from dlae_core.errors import UnusableDataset

# Modules by the extra that brings them, and their name on PyPI.
_EXTRAS = {
    "PIL": ("pack", "pillow"),
    "nibabel": ("pack", "nibabel"),
    "pydicom": ("dicom", "pydicom"),
}


def reader(module: str, what: str) -> ModuleType:
    """Returns a module that reads files of a kind.

    Raises:
        UnusableDataset: It is not installed; tells how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra, distribution = _EXTRAS[module.partition(".")[0]]
        message = (
            f"reading {what} needs {distribution}, which is not installed; "
            f"`pip install 'dlae[{extra}]'` installs it"
        )
        raise UnusableDataset([message]) from error
