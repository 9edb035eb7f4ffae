"""Reads arrays from the places that `layout` found, in any number of threads at once.

Reading, inflating and copying happen outside of Python's and of HDF5's lock.
"""

import os
import weakref
import zlib
from contextlib import suppress
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.hdf5 import DAMAGED, LARGEST_BYTES, LARGEST_RATIO, LOCK, Dataset
from dlae_core.data.layout import DEFLATE, SHUFFLE, Form, Place, Survey

Array = NDArray[Any]

# Bytes, or an array of them.
Bytes = Any


class Arrays:
    """The arrays of an open HDF5 file, read in any number of threads."""

    def __init__(self, file: h5py.File) -> None:
        """Prepares reading from a file that stays open.

        Raises:
            Exception: One of `hdf5.DAMAGED`.
        """
        self._file = file
        handle = file.id.get_vfd_handle()
        self._size = os.fstat(handle).st_size
        self._survey = Survey(file, self._size)
        self._places: dict[str, Place] = {}
        self._blocks: dict[str, bytes | None] = {}
        # The very file that HDF5 has open, whatever lies at its path by now.
        self._descriptor = os.dup(handle)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def note(self, name: str, dataset: Dataset) -> None:
        """Notes where the values of a dataset lie."""
        # What cannot be understood now is refused when it is read.
        with suppress(*DAMAGED), LOCK:
            place = self._survey.place(dataset)
            if place is not None:
                self._places[name] = place

    def form(self, name: str) -> Form:
        """Returns shape and type of an array.

        Raises:
            Exception: One of `hdf5.DAMAGED`.
        """
        place = self._places.get(name)
        if place is not None:
            return place.form
        with LOCK:
            dataset = self._file[name]
            return Form(tuple(dataset.shape), dataset.dtype)

    def read(self, name: str, out: Array | None = None) -> Array:
        """Returns an array as it is stored, in `out` where that has its shape and type.

        Raises:
            Exception: One of `hdf5.DAMAGED`.
        """
        place = self._places.get(name)
        if place is None or not _POSITIONAL:
            return self._read_by_hdf5(name)
        form = place.form
        blocks = self._table(name, form) if form.chunk else b""
        if blocks is None:
            return self._read_by_hdf5(name)
        if out is None or not _fits(out, form):
            out = np.empty(form.shape, form.dtype)
        if form.chunk:
            _read_chunks(self._descriptor, form, blocks, out)
        else:
            _fill(self._descriptor, out, place.offset)
        return out

    def close(self) -> None:
        """Ends reading; the file itself stays open."""
        self._descriptor = -1
        self._close()

    def _table(self, name: str, form: Form) -> bytes | None:
        """Returns the table of an array's chunks, made when the array is read first."""
        if name not in self._blocks:
            with LOCK:
                dataset = h5py.h5d.open(self._file.id, name.encode())
                self._blocks[name] = self._survey.blocks(dataset, form)
        return self._blocks[name]

    def _read_by_hdf5(self, name: str) -> Array:
        with LOCK:
            dataset = self._file[name]
            if dataset.nbytes > max(LARGEST_BYTES, LARGEST_RATIO * self._size):
                raise ValueError("more values than the file can hold")
            self._survey.check(dataset)
            return np.asarray(dataset[()])


def _fits(out: Array, form: Form) -> bool:
    usable = out.flags.c_contiguous and out.flags.writeable
    return usable and out.shape == form.shape and out.dtype == form.dtype


def _read_chunks(descriptor: int, form: Form, blocks: bytes, out: Array) -> None:
    """Fills an array chunk by chunk, by a table as `Survey.blocks` gave it."""
    table = np.frombuffer(blocks, np.int64).reshape(form.chunks, -1).tolist()
    for mask, offset, size, *start in table:
        if not form.filters and form.chunk == form.shape:
            _fill(descriptor, out, offset)
            return
        data = _chunk(descriptor, form, mask, offset, size)
        values = np.frombuffer(data, form.dtype).reshape(form.chunk)
        target = out[
            tuple(slice(first, first + n) for first, n in zip(start, form.chunk, strict=True))
        ]
        target[...] = values[tuple(map(slice, target.shape))]


def _chunk(descriptor: int, form: Form, mask: int, offset: int, size: int) -> Bytes:
    data: Bytes = os.pread(descriptor, size, offset)
    if len(data) != size:
        raise OSError("the file has become shorter")
    for number, code in reversed(list(enumerate(form.filters))):
        # A bit of the mask: this chunk was stored without this filter.
        if not mask >> number & 1:
            data = _UNDO[code](data, form)
    if len(data) != form.chunk_nbytes:
        raise ValueError("a chunk does not fill its shape")
    return data


def _fill(descriptor: int, out: Array, offset: int) -> None:
    done = os.preadv(descriptor, [out.data], offset)
    if done == out.nbytes:
        return
    # One call reads two gigabytes at most.
    rest = out.reshape(-1).view(np.uint8)
    while done < len(rest):
        count = os.preadv(descriptor, [rest[done:].data], offset + done)
        if count == 0:
            raise OSError("the file has become shorter")
        done += count


def _inflated(data: Bytes, form: Form) -> bytes:
    stream = zlib.decompressobj()
    try:
        # One byte more than there can be: the end of the stream is seen, a flood is not swallowed.
        inflated = stream.decompress(data, form.chunk_nbytes + 1)
    except zlib.error as error:
        raise ValueError("a chunk cannot be decompressed") from error
    if not stream.eof:
        raise ValueError("a chunk is cut off, or holds more than its shape")
    return inflated


def _unshuffled(data: Bytes, form: Form) -> Array:
    """Returns values whose first bytes were stored first, then their second ones, and so on."""
    planes = np.frombuffer(data, np.uint8).reshape(form.dtype.itemsize, -1)
    values = np.empty(planes.shape[::-1], np.uint8)
    # Plane by plane is three times as fast as one transposition.
    for number, plane in enumerate(planes):
        values[:, number] = plane
    return values.reshape(-1)


# Not on every system.
_POSITIONAL = hasattr(os, "preadv")
_UNDO = {DEFLATE: _inflated, SHUFFLE: _unshuffled}
