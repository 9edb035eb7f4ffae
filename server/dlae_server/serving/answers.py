"""What a model's process answers, as the server holds it."""

from collections.abc import Iterator
from dataclasses import dataclass

from dlae_core.errors import DlaeError
from dlae_server.serving.volumes import Volume


@dataclass(frozen=True)
class Answer:
    """A prediction.

    Attributes:
        dtype: NumPy's name of the type.
        shape: Length of each axis.
        parts: The elements in row-major order, cut into parts of at most 1 MiB.
        description: A message `Description`, where asked for.
        volume: Where the elements lie, where there are no parts of the server's own.
        size: Bytes that they are there.
    """

    dtype: str
    shape: tuple[int, ...]
    parts: list[bytes]
    description: bytes = b""
    volume: Volume | None = None
    size: int = 0

    @property
    def data(self) -> bytes:
        """The elements in one piece."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.taken())

    def taken(self) -> Iterator[bytes]:
        """Yields the parts, which the answer holds no longer."""
        if self.volume:
            yield from self.volume.output(self.size)
        self.parts.reverse()
        while self.parts:
            yield self.parts.pop()


@dataclass(frozen=True)
class Stages:
    """Seconds that a call of the engine spent on its input, itself and its output."""

    input: float
    infer: float
    output: float


class Unjoinable(DlaeError):
    """Arrays were joined whose predictions do not come apart again."""
