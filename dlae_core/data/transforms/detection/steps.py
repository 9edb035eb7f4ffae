"""The steps of the chain. Each draws a matrix, which moves images and boxes alike."""

from dataclasses import dataclass

import numpy as np

from dlae_core.data.transforms.matrices import Matrix, about_centre, linear, translation


@dataclass(frozen=True)
class Step:
    """One step: with a probability, a matrix from output to input positions.

    Attributes:
        probability: Of the step being taken.
        low: Lower end of what is drawn.
        high: Upper end of what is drawn.
    """

    probability: float
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Translation(Step):
    """Moves the content by U(low, high) of rows and columns, to either side, by whole pixels."""

    def draw(self, random: np.random.Generator, space: tuple[int, ...]) -> Matrix:
        """Returns the matrix, (3, 3)."""
        shares = [random.uniform(self.low, self.high) for _ in range(2)]
        signs = [random.choice((-1, 1)) for _ in range(2)]
        return translation(-np.rint(np.array(space) * shares * signs))


@dataclass(frozen=True)
class Magnification(Step):
    """Enlarges the content by a factor from U(low, high) about the centre.

    Differs: DLAE 1.0 took a centre half a pixel off for images and the true one for boxes, which it
    rounded to whole pixels.
    """

    def draw(self, random: np.random.Generator, space: tuple[int, ...]) -> Matrix:
        """Returns the matrix, (3, 3)."""
        factor = random.uniform(self.low, self.high)
        return about_centre(linear(2, np.eye(2) / factor), space)


@dataclass(frozen=True)
class Mirror(Step):
    """Flips left to right."""

    def draw(self, random: np.random.Generator, space: tuple[int, ...]) -> Matrix:
        """Returns the matrix, (3, 3)."""
        return about_centre(linear(2, np.diag((1.0, -1.0))), space)
