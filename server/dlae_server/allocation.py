"""How the C library hands out memory: freed blocks of megabytes are kept for the next request.

Each chunk of a tensor passes through several blocks of its size. By default those come fresh from
the kernel, page by page, which costs several times as much as the copies into them.
"""

import ctypes

LARGEST_KEPT_BLOCK = 32 << 20
KEPT_BYTES = 128 << 20

# The same settings, for a process that is about to start.
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(LARGEST_KEPT_BLOCK),
    "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
# Numbers of `mallopt` in the GNU C library.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


_LIBRARY = ctypes.CDLL(None)


def keep_freed_blocks() -> None:
    """Keeps freed memory in this process; elsewhere than on GNU, does nothing."""
    mallopt = getattr(_LIBRARY, "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_TOP_PAD, 16 << 20)


def give_back() -> None:
    """Gives freed memory back to the system, after something large; takes milliseconds."""
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(LARGEST_KEPT_BLOCK))
