"""Why a worker was stopped, or what it died of."""

from dataclasses import dataclass

TIME_LIMIT, OUT_OF_MEMORY = "TIME_LIMIT", "OUT_OF_MEMORY"
HUNG, WORKER_DIED = "WORKER_HUNG", "WORKER_DIED"
# The cluster went away before it had started the worker.
NEVER_BEGAN = "NEVER_BEGAN"


@dataclass(frozen=True)
class Verdict:
    """Why a worker has ended that has told no end.

    Attributes:
        reason: For programs.
        cause: For people.
    """

    reason: str
    cause: str
