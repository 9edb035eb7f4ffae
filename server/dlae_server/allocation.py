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


def keep_freed_blocks() -> None:
    """Keeps up to 128 MiB of freed memory in this process; elsewhere than on GNU, nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_TOP_PAD, 16 << 20)
