"""The errors of the engine.

    DlaeError
    ├─ InvalidConfig          the configuration has violations
    ├─ UnusableDataset        files that cannot be trained on: unpaired, truncated, NaN, labels
    ├─ InvalidTensor          bytes that are no array: wrong length, no type
    ├─ InvalidImage           an image that does not suit the model
    ├─ InvalidOptions         options of a prediction that do not exist or do not suit the model
    ├─ IncompatibleArtifact   a stored model of another version or kind
    ├─ CorruptArtifact        a stored model that is damaged
    ├─ WeightsNotFound        initial weights that are not there
    ├─ StorageFailed          the disk is full or cannot be written
    ├─ DeviceOutOfMemory      the network does not fit the device
    ├─ MachineLost            another machine of a training has ended or does not answer
    ├─ TrainingDiverged       the loss is no longer a number
    └─ TrainingCancelled      training was asked to stop

Each carries a sentence for people (`str(error)`) and a reason for programs (`error.reason`), made
from the class's name. Which status of which protocol an error becomes is not known here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Violation:
    """One mistake in a configuration.

    Attributes:
        path: Place, as `section.key` or `layers.serial_layer_list[3].kernel`; empty for the file.
        reason: Upper snake case, for programs.
        message: One sentence: what was expected, what came, how to mend it.
    """

    path: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DlaeError(Exception):
    """Anything that a user, an operator or a file can do wrong."""

    reason: ClassVar[str] = "DLAE_ERROR"

    def __init_subclass__(cls) -> None:
        cls.reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).upper()


class InvalidConfig(DlaeError):
    """A configuration with violations, all of them at once."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        count = len(self.violations)
        noun = "mistake" if count == 1 else "mistakes"
        lines = "".join(f"\n  {violation}" for violation in self.violations)
        super().__init__(f"the configuration has {count} {noun}:{lines}")


class UnusableDataset(DlaeError):
    """Data files that cannot be trained on or predicted with.

    Attributes:
        problems: Sentences, each with the file and dataset it is about.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            super().__init__(f"the data cannot be used:{lines}")


class InvalidTensor(DlaeError):
    """Bytes that are no array: a wrong length, no element type, a negative axis."""


class InvalidImage(DlaeError):
    """An image that does not suit the model: shape, type, NaN."""

    @classmethod
    def of_shape(cls, expected: Sequence[int | None], got: Sequence[int]) -> "InvalidImage":
        """Returns the error for a batch of images of a wrong shape.

        Args:
            expected: Shape of one image, (*space, channels).
            got: Shape of the batch that came.
        """
        axes = ", ".join(str(length or "any") for length in expected)
        return cls(f"expected images of shape (batch, {axes}), got {tuple(got)}")


class InvalidOptions(DlaeError):
    """Options of a prediction that are out of their range or do not suit the model."""


class IncompatibleArtifact(DlaeError):
    """A stored model that this version cannot use."""


class CorruptArtifact(DlaeError):
    """A stored model that is damaged: a file is missing, unreadable or not what was written."""

    @classmethod
    def of_file(cls, path: Path, what: str) -> "CorruptArtifact":
        """Returns the error for one damaged file of a bundle."""
        return cls(f"the model file {path.name} {what}; restore it from a backup or train again")


class WeightsNotFound(DlaeError):
    """Initial weights that are not there: ImageNet files that nobody installed, a wrong path."""


class StorageFailed(DlaeError):
    """The disk is full or cannot be written."""


class DeviceOutOfMemory(DlaeError):
    """The network does not fit the device."""


class MachineLost(DlaeError):
    """Another machine of a training on several has ended or does not answer."""


class TrainingDiverged(DlaeError):
    """The loss is no longer a finite number."""


class TrainingCancelled(DlaeError):
    """Training was asked to stop and has."""
