"""Packing: pictures, NumPy arrays, NIfTI and DICOM to the two HDF5 files of a data set.

Imports no reader of these formats until a file of the format is met.
"""

from dlae_core.data.packing.pack import Packed, pack, write_listing
from dlae_core.data.packing.recipe import Recipe

__all__ = ["Packed", "Recipe", "pack", "write_listing"]
