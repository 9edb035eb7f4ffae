"""Work done ahead of whoever needs it, by threads, delivered in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def cores() -> int:
    """Returns the number of processor cores that this process may use."""
    # Not on every system.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_order(calls: Iterable[Callable[[], T]], threads: int, ahead: int) -> Iterator[T]:
    """Yields the results of calls in their order; what a call raises is raised in its place.

    Args:
        calls: Taken one by one, as there is room.
        threads: Threads to call on; 0: the caller's own, when the result is asked for.
        ahead: Calls that may be begun before their result is asked for, at least 1.
    """
    if threads == 0:
        for call in calls:
            yield call()
        return
    pending: deque[Future[T]] = deque()
    executor = ThreadPoolExecutor(min(threads, ahead), thread_name_prefix="pipeline")
    try:
        for call in calls:
            pending.append(executor.submit(call))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # Also where the consumer stops early: no thread outlives the delivery.
        executor.shutdown(cancel_futures=True)
