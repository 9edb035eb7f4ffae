"""HDF5 as it is used here: a small cache, one thread at a time, no file but the one named.

What a file claims is looked at before anything is read: no more numbers than it can hold,
compressed in ways that are known, and once only.
"""

import faulthandler
import math
import threading
from pathlib import Path
from typing import Any, NamedTuple

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

# gzip makes a thousandth of an array at best; the rest may be values that were never written.
LARGEST_BYTES, LARGEST_RATIO = 1 << 30, 2000
# A chunk is read as a whole, however little of it an array takes.
_CHUNK_BYTES = 1 << 26
# Truth values are an enumeration.
_NUMBERS = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)
# gzip, shuffle, Fletcher, szip, n-bit, scale and offset; lzf, which h5py brings.
_FILTERS = (1, 2, 3, 4, 5, 6, 32000)
_ATTRIBUTE_BYTES = 1 << 16
ENDLESS_SECONDS = 60.0


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
    return _claim(file, item, created) or Dataset(item, created)


def attribute(dataset: h5py.Dataset, key: str) -> Any:
    """Returns an attribute, None where there is none of this name.

    Raises:
        Exception: One of `DAMAGED`.
    """
    if key not in dataset.attrs:
        return None
    found = dataset.attrs.get_id(key)
    if math.prod(found.shape or ()) * found.get_type().get_size() > _ATTRIBUTE_BYTES:
        raise ValueError("an attribute is larger than any of ours")
    return ending_value(dataset.attrs, key)


def ending_value(attributes: Any, key: str) -> Any:
    """Returns an attribute of a file; ends this process where that has no end.

    HDF5 can read a damaged text of any length for ever, and nothing in Python interrupts it.

    Raises:
        Exception: One of `DAMAGED`.
    """
    kind = attributes.get_id(key).get_type()
    if kind.get_class() in _NUMBERS or not kind.dtype.hasobject:
        return attributes[key]
    faulthandler.dump_traceback_later(ENDLESS_SECONDS, exit=True, file=2)
    try:
        return attributes[key]
    finally:
        faulthandler.cancel_dump_traceback_later()


def _claim(file: h5py.File, item: h5py.h5d.DatasetID, created: h5py.h5p.PropDCID) -> str:
    """Returns what is wrong with what a dataset says of its values."""
    stored = item.get_type()
    if stored.get_class() not in _NUMBERS and stored.dtype.hasobject:
        return "expected an array of numbers, found texts of any length or references"
    size = stored.get_size()
    nbytes = math.prod(item.shape) * size
    if nbytes > LARGEST_BYTES and nbytes > LARGEST_RATIO * file.id.get_filesize():
        return f"expected no more values than the file can hold, found a claim of {nbytes} bytes"
    if created.get_layout() != h5py.h5d.CHUNKED:
        return ""
    chunk_nbytes = math.prod(created.get_chunk()) * size
    if chunk_nbytes > max(2 * nbytes, _CHUNK_BYTES):
        return f"expected chunks of the size of the array, found some of {chunk_nbytes} bytes"
    return _filtering(created)


def _filtering(created: h5py.h5p.PropDCID) -> str:
    codes = [created.get_filter(number)[0] for number in range(created.get_nfilters())]
    if len(set(codes)) < len(codes):
        return "expected values that are compressed once, found them compressed again and again"
    for code in codes:
        if code not in _FILTERS and not h5py.h5z.filter_avail(code):
            return f"expected values compressed by gzip or lzf, found the unknown filter {code}"
    return ""


def unreadable(error: BaseException) -> str:
    """Returns what is wrong with a file that cannot be opened."""
    if "truncated" in str(error):
        return "the file is truncated; copy or write it again"
    return "expected an HDF5 file, found something else or a damaged one"
