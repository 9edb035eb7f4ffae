"""How often a worker tells how far it is."""

import time
from collections.abc import Callable

from dlae_core.events import Event, SamplesPredicted, StepFinished

SECONDS = 0.25
# Events of the progress of an inference session at most: unlike steps, they are never forgotten.
SHOWN = 500


class Pace:
    """Leaves out most of what tells of progress: a few events a second are enough."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self._samples = 0

    def allows(self, event: Event) -> bool:
        """Returns whether an event is to be told: all but progress, and the last of an epoch."""
        if isinstance(event, StepFinished):
            return event.progress.step >= event.progress.steps or self._is_time()
        if not isinstance(event, SamplesPredicted):
            return True
        little = (event.samples_done - self._samples) * SHOWN < event.samples
        if event.samples_done < event.samples and (little or not self._is_time()):
            return False
        self._samples = event.samples_done
        return True

    def _is_time(self) -> bool:
        now = self._clock()
        if self._last is not None and now - self._last < SECONDS:
            return False
        self._last = now
        return True
