"""Walking over many samples on threads, in order and in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from dlae_core.data.ahead import cores

T = TypeVar("T")

# Samples looked at together may take this much; one alone may take more.
BYTES_AHEAD = 256 << 20
# Reading and NumPy release Python's lock for part of the time only: more threads gain nothing.
MOST_THREADS = 4


def walk(
    names: Sequence[str],
    size_bytes: Callable[[str], int],
    look: Callable[[str], T],
) -> Iterator[T]:
    """Yields `look(name)` of all names in their order, worked out ahead by threads.

    Args:
        names: Names of samples.
        size_bytes: What one sample takes in memory.
        look: Called on several threads at once; what it raises is raised here.
    """
    threads = min(MOST_THREADS, cores())
    waiting: deque[tuple[Future[T], int]] = deque()
    held = 0
    pool = ThreadPoolExecutor(threads, thread_name_prefix="walk")
    try:
        for name in names:
            size = size_bytes(name)
            while waiting and (held + size > BYTES_AHEAD or len(waiting) > 2 * threads):
                future, freed = waiting.popleft()
                held -= freed
                yield future.result()
            waiting.append((pool.submit(look, name), size))
            held += size
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        pool.shutdown(cancel_futures=True)
