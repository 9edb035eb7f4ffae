"""Where in a file the values of its datasets lie, so that they can be read without HDF5.

HDF5 reads for one thread at a time. Where values lie as numbers in one piece, or in chunks that are
plain, shuffled or gzipped, their place is noted here, and `reading` fetches them in any thread.
Whatever is unusual has no place and is left to HDF5.
"""

import math
from array import array
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import h5py
import numpy as np

from dlae_core.data.hdf5 import Dataset

# Of a chunk: filter mask, offset, stored bytes, index of its first element per axis.
Row = tuple[int, ...]

DEFLATE, SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE

_UNKNOWN = -1
# In the order of writing.
_PIPELINES = ((), (DEFLATE,), (SHUFFLE,), (SHUFFLE, DEFLATE))
# Their table would be larger than is worth it.
_MOST_CHUNKS = 1 << 16


@dataclass(frozen=True)
class Form:
    """What datasets have in common.

    Attributes:
        shape: Shape of the array.
        dtype: Type of its elements as stored, byte order included.
        chunk: Shape of a chunk; empty where the array is in one piece.
        filters: Filters of a chunk, in the order of writing.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunk: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()

    @cached_property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize

    @cached_property
    def chunk_nbytes(self) -> int:
        """Bytes of a chunk before filters."""
        return math.prod(self.chunk) * self.dtype.itemsize

    @cached_property
    def chunks(self) -> int:
        """Number of chunks."""
        return math.prod(-(-n // c) for n, c in zip(self.shape, self.chunk, strict=True))


class Place(NamedTuple):
    """Where a dataset lies: its form, and the offset of its first byte where it is in one piece."""

    form: Form
    offset: int = -1


class Survey:
    """Finds the places of the datasets of one file. Equal forms are kept once."""

    def __init__(self, file: h5py.File, size: int) -> None:
        """Prepares the survey of an open file of `size` bytes."""
        self._size = size
        # Addresses of chunks count from the end of a user block in some versions of HDF5 only.
        self._plain_file = file.userblock_size == 0
        self._forms: dict[Any, Form] = {}
        self._type: tuple[h5py.h5t.TypeID, np.dtype[Any] | None] | None = None

    def place(self, dataset: Dataset) -> Place | None:
        """Returns where a dataset lies; None where only HDF5 can tell.

        Raises:
            Exception: One of `hdf5.DAMAGED`.
        """
        dtype = self._dtype(dataset.id.get_type())
        shape = tuple(dataset.id.shape)
        if dtype is None or not self._plain_file or 0 in shape:
            return None
        # h5py turns single numbers into those of the machine.
        if not shape and not dtype.isnative:
            return None
        created = dataset.created
        layout = created.get_layout()
        if layout == h5py.h5d.CONTIGUOUS:
            form = self._kept(Form(shape, dtype))
            offset = dataset.id.get_offset()
            fits = offset is not None and 0 < offset <= self._size - form.nbytes
            return Place(form, offset) if fits else None
        if layout == h5py.h5d.CHUNKED:
            filters = _filters(created, dtype.itemsize)
            form = self._kept(Form(shape, dtype, tuple(created.get_chunk()), filters))
            return Place(form) if _is_usual(form) else None
        return None

    def blocks(self, dataset: h5py.h5d.DatasetID, form: Form) -> bytes | None:
        """Returns the table of a dataset's chunks, as rows of int64; None where HDF5 must read.

        Raises:
            Exception: One of `hdf5.DAMAGED`: the dataset is damaged.
        """
        if not hasattr(dataset, "chunk_iter"):  # HDF5 before 1.12.3
            return None
        rows: list[Row] = []

        def note(chunk: Any) -> int | None:
            rows.append((chunk.filter_mask, chunk.byte_offset, chunk.size, *chunk.chunk_offset))
            return 0 if len(rows) > form.chunks else None

        dataset.chunk_iter(note)
        if any(not self._is_possible(row, form) for row in rows):
            raise ValueError("a chunk lies outside of the file or has a size that it cannot have")
        return array("q", chain.from_iterable(rows)).tobytes() if _is_whole(rows, form) else None

    def check(self, dataset: h5py.Dataset) -> None:
        """Refuses chunks from which HDF5 would inflate far more than they hold.

        Raises:
            Exception: One of `hdf5.DAMAGED`.
        """
        if dataset.chunks is None or not hasattr(dataset.id, "chunk_iter"):
            return
        most = 2 * math.prod(dataset.chunks) * dataset.dtype.itemsize + 1024
        # It goes on while it is answered 0 or nothing.
        if dataset.id.chunk_iter(lambda chunk: 1 if chunk.size > most else 0):
            raise ValueError("a chunk is larger than what it holds")

    def _is_possible(self, row: Row, form: Form) -> bool:
        _, offset, size, *_ = row
        # Compression makes no chunk much larger.
        usual = size <= 2 * form.chunk_nbytes + 1024 if form.filters else size == form.chunk_nbytes
        return usual and size > 0 and 0 < offset <= self._size - size

    def _kept(self, form: Form) -> Form:
        return self._forms.setdefault(form, form)

    def _dtype(self, stored: h5py.h5t.TypeID) -> "np.dtype[Any] | None":
        """Returns the type of numbers that need no conversion, None for all others."""
        if self._type is None or not self._type[0].equal(stored):
            dtype: np.dtype[Any] = stored.dtype
            plain = dtype.kind in "biuf" and dtype.itemsize <= 8
            # A type may use some bits only, or order them in other ways than its size says.
            exact = plain and h5py.h5t.py_create(dtype, logical=True).equal(stored)
            self._type = stored, dtype if exact else None
        return self._type[1]


def _filters(created: h5py.h5p.PropDCID, itemsize: int) -> tuple[int, ...]:
    found = [created.get_filter(number) for number in range(created.get_nfilters())]
    # Shuffling has a size of its own, which is that of an element unless it is damaged.
    return tuple(
        _UNKNOWN if code == SHUFFLE and values != (itemsize,) else code
        for code, _, values, _ in found
    )


def _is_usual(form: Form) -> bool:
    return (
        form.filters in _PIPELINES
        and form.chunks <= _MOST_CHUNKS
        and form.chunk_nbytes <= 2 * form.nbytes + 1024
    )


def _is_whole(rows: list[Row], form: Form) -> bool:
    """Returns whether every chunk is there, once, and has gone through the filters."""
    starts = {row[3:] for row in rows}
    # Chunks that were never written are missing; what they hold is for HDF5 to say.
    if not len(rows) == len(starts) == form.chunks:
        return False
    if not all(_is_on_grid(start, form) for start in starts):
        return False
    # A dataset may leave chunks at its edge unfiltered, which is told nowhere but by their size.
    edge = [row for row in rows if _is_at_edge(row[3:], form)] if form.filters else []
    return not edge or any(row[2] != form.chunk_nbytes for row in edge)


def _is_on_grid(start: Row, form: Form) -> bool:
    axes = zip(start, form.chunk, form.shape, strict=True)
    return all(first % step == 0 and 0 <= first < end for first, step, end in axes)


def _is_at_edge(start: Row, form: Form) -> bool:
    axes = zip(start, form.chunk, form.shape, strict=True)
    return any(first + step > end for first, step, end in axes)
