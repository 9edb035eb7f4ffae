"""Errors of calls that ask for more than they may, and of a server that has no more to give.

DlaeError
├─ QueueFull
│  ├─ CallerLimit      one caller does too much at once
│  └─ DiskLow, MemoryLow   the server takes nothing more until there is room
├─ RequestTooLarge     a message longer than its method takes
├─ CallTooLong         a call that took longer than its method may
├─ IssuerUnreachable   a token cannot be judged
└─ StreamStalled       nothing more comes of a stream, or is taken of one
"""

from dlae_core.errors import DlaeError
from dlae_server.errors import QueueFull

LOW_SECONDS = 30.0


class IssuerUnreachable(DlaeError):
    """Who issues tokens does not answer, and a token cannot be judged without."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the issuer of tokens does not answer ({why[:100]}); try again later")


class CallerLimit(QueueFull):
    """One caller does too much at once."""

    def __init__(self, limit: str, retry_seconds: float) -> None:
        super().__init__("", 0, retry_seconds)
        self.args = (f"expected at most {limit} of one caller, got more; try again later",)


class RequestTooLarge(DlaeError):
    """A message longer than its method takes."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"expected a message of at most {limit_bytes} bytes for this call, got {size_bytes}"
        )


class CallTooLong(DlaeError):
    """A call took longer than its method may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the call took longer than the {seconds:g} s that it may take; ask for less at a time"
        )


class StreamStalled(DlaeError):
    """Nothing more comes of a stream, or is taken of one."""

    def __init__(self, seconds: float, what: str = "came") -> None:
        super().__init__(f"nothing {what} for {seconds:g} s, the call is given up; begin it again")


class DiskLow(QueueFull):
    """The disk of the data folder is nearly full."""

    def __init__(self, free_bytes: int, least_bytes: int) -> None:
        super().__init__("", 0, LOW_SECONDS)
        self.args = (
            f"expected {least_bytes} bytes free on the server's disk, found {free_bytes}; nothing "
            "new is taken until jobs, models or data are deleted",
        )


class MemoryLow(QueueFull):
    """The machine has hardly any memory left."""

    def __init__(self, free_bytes: int, least_bytes: int) -> None:
        super().__init__("", 0, LOW_SECONDS)
        self.args = (
            f"expected {least_bytes} bytes of memory available to the server, found {free_bytes}; "
            "nothing new is taken until a job ends or a model is unloaded; try again later",
        )
