"""HDF5 as it is used here: a small cache, one thread at a time, no file but the one named."""

import threading
from pathlib import Path
from typing import NamedTuple

import h5py

# All that h5py raises for a file that is damaged: what it is depends on the byte.
DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, ArithmeticError, MemoryError)

# HDF5 has one state for the whole process; so every call of ours holds this one lock.
LOCK = threading.RLock()

# Names are numbers that fit 64 bits.
LONGEST_NAME = 18

# What HDF5 keeps of a file beside samples. It would keep 32 MiB of what is read once, which take
# ten times as much memory; but it reads the list of names again for each of them if that does not
# fit, which takes hours for a million.
_LEAST_CACHE, _MOST_CACHE, _CACHE_PER_NAME = 1 << 18, 1 << 25, 32


def open_hdf5(path: Path) -> h5py.File:
    """Opens a file for reading.

    Raises:
        Exception: One of `DAMAGED`.
    """
    with LOCK:
        with _opened(path, _LEAST_CACHE) as file:
            needed = _CACHE_PER_NAME * len(file)
        return _opened(path, min(max(needed, _LEAST_CACHE), _MOST_CACHE))


def _opened(path: Path, cache_bytes: int) -> h5py.File:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    cache = access.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = cache_bytes
    access.set_mdc_config(cache)
    return h5py.File(h5py.h5f.open(bytes(path), h5py.h5f.ACC_RDONLY, access))


class Dataset(NamedTuple):
    """An open dataset and how it was created."""

    id: h5py.h5d.DatasetID
    created: h5py.h5p.PropDCID


def open_sample(file: h5py.File, name: str) -> Dataset | str:
    """Returns the dataset of one entry of a file, or what is wrong with the entry.

    Raises:
        Exception: One of `DAMAGED`.
    """
    # int() also takes signs, blanks and underscores, which would make one number of two names.
    if not (name.isascii() and name.isdigit() and len(name) <= LONGEST_NAME):
        return "expected a name that is an integer, such as '0'"
    if file.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        return "expected a dataset, found a link"
    item = h5py.h5o.open(file.id, name.encode())
    if not isinstance(item, h5py.h5d.DatasetID):
        return "expected a dataset, found a group"
    if item.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        return "expected an array, found an empty dataset"
    created = item.get_create_plist()
    if created.get_layout() == h5py.h5d.VIRTUAL or created.get_external_count():
        return "expected an array in this file, but its values lie in another file"
    return Dataset(item, created)


def unreadable(error: BaseException) -> str:
    """Returns what is wrong with a file that cannot be opened."""
    if "truncated" in str(error):
        return "the file is truncated; copy or write it again"
    return "expected an HDF5 file, found something else or a damaged one"
