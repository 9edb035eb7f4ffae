"""What the engine tells while it trains or predicts a whole file.

Frozen values, handed to the `emit` callable that `training.train` and `inference.infer` are given.
The engine does not know who listens: a queue, a log, a progress bar or nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far training is.

    Attributes:
        epoch: Current epoch, from 1.
        epochs: Epochs configured.
        step: Steps done in this epoch.
        steps: Steps of one epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int


@dataclass(frozen=True)
class TrainingStarted:
    """Data are checked, the graph is built, the first step comes next."""

    epochs: int
    steps: int
    training_samples: int
    validation_samples: int
    parameters: int
    device: str


@dataclass(frozen=True)
class Resumed:
    """Training goes on from a checkpoint; what came after that is told again.

    On a processor it is the same again. The last epoch before the checkpoint is told again too: it
    may not have been told.

    Attributes:
        progress: How far training was.
        steps_done: Steps done in the whole training by then.
        samples_done: Samples seen in the whole training by then.
    """

    progress: Progress
    steps_done: int
    samples_done: int


@dataclass(frozen=True)
class StepFinished:
    """One or more steps are done since the last event of this kind.

    Attributes:
        progress: How far training is.
        metrics: Means over the epoch so far.
        steps_done: Steps done in the whole training.
        samples_done: Samples seen in the whole training.
    """

    progress: Progress
    metrics: Mapping[str, float]
    steps_done: int
    samples_done: int


@dataclass(frozen=True)
class EpochFinished:
    """An epoch is done, its validation included.

    Attributes:
        progress: How far training is.
        metrics: Means over the epoch; validation metrics begin with `val_`.
        learning_rate: Rate of the epoch's last step.
        seconds: Wall-clock time, validation included.
    """

    progress: Progress
    metrics: Mapping[str, float]
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Warned:
    """Something deserves attention; training goes on."""

    reason: str
    message: str


@dataclass(frozen=True)
class InferenceStarted:
    """The model is loaded and suits the images; the first batch comes next.

    Attributes:
        samples: Number of samples to predict.
        family: Kind of model: `CNN`, `FCN`, `BBD` or a kind of GAN.
        engine: What runs the network.
    """

    samples: int
    family: str
    engine: str


@dataclass(frozen=True)
class SamplesPredicted:
    """A batch has been predicted.

    Attributes:
        samples_done: Samples predicted so far.
        samples: Number of samples to predict.
    """

    samples_done: int
    samples: int


Event = (
    TrainingStarted
    | Resumed
    | StepFinished
    | EpochFinished
    | Warned
    | InferenceStarted
    | SamplesPredicted
)
Emit = Callable[[Event], None]
