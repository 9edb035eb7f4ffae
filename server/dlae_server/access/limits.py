"""How much a caller does at once: calls, calls per second, and bytes that wait for an answer.

Callers are those who have proved a name. Nobody else comes in where others can reach the server;
on a loopback without tokens all calls are one user's, whom nobody has to be kept from.
"""

import time
from collections import Counter as Count
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import Counter

from dlae_server.access.bounds import bound_of
from dlae_server.access.errors import CallerLimit

# Calls that may come at once, in seconds of those that may come steadily.
BURST_SECONDS = 2.0
# Above it, callers who do nothing are forgotten.
MOST_IDLE = 1000


@dataclass
class _Use:
    """What a caller does.

    Attributes:
        fill: Calls that may come now.
        filled: When that was, on the monotonic clock.
        methods: Calls of each method under way.
        taken: Bytes of them that are kept.
    """

    fill: float
    filled: float
    methods: Count[str] = field(default_factory=Count)
    taken: int = 0


class Taking:
    """What one call keeps."""

    def __init__(self, limits: "Limits", use: _Use | None) -> None:
        self._limits = limits
        self._use = use
        self.taken = 0

    def take(self, count: int) -> None:
        """Adds bytes that are kept until the call ends.

        Raises:
            CallerLimit: The caller's calls keep too many.
        """
        if self._use is not None:
            self._limits.require_room(self._use, count)
            self.taken += count
            self._use.taken += count


class Limits:
    """Counts what callers do, and refuses what is too much.

    Args:
        calls: Calls of one caller at once; None: any.
        rate: Calls of one caller per second; None: any.
        kept_bytes: Of all its requests that are being answered; None: any.
        silence_seconds: How long nothing may come of a stream, or be taken of one.

    Attributes:
        silence_seconds: The same.
        refused: Counts what is refused, by what is short.
    """

    def __init__(
        self,
        calls: int | None = None,
        rate: float | None = None,
        kept_bytes: int | None = None,
        silence_seconds: float = 60.0,
    ) -> None:
        self._calls, self._rate, self._bytes = calls, rate, kept_bytes
        self.silence_seconds = silence_seconds
        self.refused: Counter | None = None
        self._uses: dict[str, _Use] = {}

    @contextmanager
    def call(self, name: str, method: str) -> Iterator[Taking]:
        """Counts a call from its beginning to its end; yields what it keeps.

        Args:
            name: Of the caller; empty where nobody had to say: not counted.
            method: `/service/method`.

        Raises:
            CallerLimit: It is one too many.
        """
        if not name:
            yield Taking(self, None)
            return
        use = self._begun(name, method)
        taking = Taking(self, use)
        try:
            yield taking
        finally:
            use.taken -= taking.taken
            use.methods[method] -= 1
            if not use.methods[method]:
                del use.methods[method]

    def require_room(self, use: _Use, count: int) -> None:
        """Raises `CallerLimit` where a caller's calls would keep too many bytes."""
        if self._bytes is not None and use.taken + count > self._bytes:
            raise self._refusal("bytes", f"{self._bytes} bytes in calls under way", 1.0)

    def _begun(self, name: str, method: str) -> _Use:
        now = time.monotonic()
        use = self._uses.get(name)
        if use is None:
            self._forget_idle()
            use = self._uses[name] = _Use((self._rate or 0.0) * BURST_SECONDS, now)
        self._require_rate(use, now)
        together = bound_of(method).together
        if together is not None and use.methods[method] >= together:
            call = method.rpartition("/")[2]
            raise self._refusal("calls", f"{together} calls of {call} at once", 1.0)
        if self._calls is not None and use.methods.total() >= self._calls:
            raise self._refusal("calls", f"{self._calls} calls at once", 1.0)
        use.methods[method] += 1
        return use

    def _require_rate(self, use: _Use, now: float) -> None:
        if self._rate is None:
            return
        most = max(self._rate * BURST_SECONDS, 1.0)
        use.fill = min(use.fill + (now - use.filled) * self._rate, most)
        use.filled = now
        if use.fill < 1.0:
            wait = (1.0 - use.fill) / self._rate
            raise self._refusal("rate", f"{self._rate:g} calls per second", wait)
        use.fill -= 1.0

    def _refusal(self, reason: str, limit: str, wait: float) -> CallerLimit:
        if self.refused:
            self.refused.labels(reason).inc()
        return CallerLimit(limit, wait)

    def _forget_idle(self) -> None:
        """Forgets callers who do nothing, where there are many."""
        if len(self._uses) > MOST_IDLE:
            self._uses = {name: use for name, use in self._uses.items() if use.methods}
