"""Freed memory kept while a file is sent.

Each piece passes through several blocks of its size. By default the C library takes those fresh
from the kernel, page by page, which costs ten times as much as the copies into them.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

LARGEST_KEPT_BLOCK, KEPT_BYTES = 8 << 20, 32 << 20
# Numbers of `mallopt` in the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@contextmanager
def freed_blocks_kept() -> Iterator[None]:
    """Keeps freed memory in this process, and gives it back at the end; does nothing but on GNU.

    What it keeps later is what the library has learnt to keep by itself: blocks of this size.
    """
    library = ctypes.CDLL(None)
    mallopt, trim = (getattr(library, name, None) for name in ("mallopt", "malloc_trim"))
    if mallopt is None or trim is None:
        yield
        return
    mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    try:
        yield
    finally:
        trim(ctypes.c_size_t(0))
