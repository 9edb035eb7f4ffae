"""What a model has done since the server started, counted for who asks model by model."""

import time
from dataclasses import dataclass, field

from dlae_server.serving.answers import Stages


@dataclass
class Total:
    """Times of one kind.

    Attributes:
        count: How many.
        seconds: Their sum.
    """

    count: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Adds one."""
        self.count += 1
        self.seconds += seconds


@dataclass
class Statistics:
    """What a model has done.

    Attributes:
        success: Predictions answered, from their coming on.
        fail: Predictions that failed, or whose caller gave up.
        queue: Waits for the engine.
        input: Times of handing images over, per call of the engine.
        infer: Times of the engine.
        output: Times of taking its output.
        images: Images predicted.
        last: When the latest call ended, in seconds since 1970.
    """

    success: Total = field(default_factory=Total)
    fail: Total = field(default_factory=Total)
    queue: Total = field(default_factory=Total)
    input: Total = field(default_factory=Total)
    infer: Total = field(default_factory=Total)
    output: Total = field(default_factory=Total)
    images: int = 0
    last: float = 0.0

    def add_call(self, stages: Stages, images: int) -> None:
        """Counts a call of the engine."""
        self.input.add(stages.input)
        self.infer.add(stages.infer)
        self.output.add(stages.output)
        self.images += images
        self.last = time.time()
