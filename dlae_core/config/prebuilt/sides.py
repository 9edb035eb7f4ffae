"""What images a network takes: how long their sides must be, and what is nearest to that."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlae_core.errors import Violation

# What the configuration can hold.
LONGEST = 2**31 - 1

_PATH = "config_file.input_shape"


@dataclass(frozen=True)
class Sides:
    """The sides of images that suit a network.

    Attributes:
        multiple: Number that every side is a multiple of, in pixels.
        at_least: Least side, in pixels.
    """

    multiple: int = 1
    at_least: int = 1

    def violations(self, name: str, own: Sequence[int], shape: Sequence[int]) -> list[Violation]:
        """Returns what is wrong with an input shape, naming the nearest shape that suits.

        Args:
            name: Of the network.
            own: Shape that the network comes with, (*space, channels).
            shape: Wanted shape.
        """
        if len(shape) != len(own):
            axes = "(rows, cols, channels)" if len(own) == 3 else "(rows, cols, slices, channels)"
            sentence = f"expected {axes} for {name}, got {tuple(shape)}"
            return [Violation(_PATH, "WRONG_LENGTH", sentence)]
        if not 1 <= min(shape) <= max(shape) <= LONGEST:
            sentence = f"expected lengths of 1 to {LONGEST}, got {tuple(shape)}"
            return [Violation(_PATH, "OUT_OF_RANGE", sentence)]
        nearest = (*map(self.nearest, shape[:-1]), shape[-1])
        if nearest == tuple(shape):
            return []
        sentence = (
            f"expected {self.wording()} for {name}, got {tuple(shape)}; the nearest shape that "
            f"suits is {nearest}"
        )
        return [Violation(_PATH, "UNSUITABLE_SHAPE", sentence)]

    def nearest(self, side: int) -> int:
        """Returns the allowed side that is nearest, the longer one of two."""
        rounded = (side + self.multiple // 2) // self.multiple * self.multiple
        return max(rounded, self.least)

    @property
    def least(self) -> int:
        """Least side that is allowed."""
        return -(-self.at_least // self.multiple) * self.multiple

    def wording(self) -> str:
        """Returns the rule in words: `sides that are multiples of 64`."""
        if self.multiple == 1:
            return f"sides of at least {self.least}"
        limit = f", at least {self.least}" if self.least > self.multiple else ""
        return f"sides that are multiples of {self.multiple}{limit}"
