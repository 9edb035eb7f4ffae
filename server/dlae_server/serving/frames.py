"""What the server and a model's process tell each other: frames of a few numbers.

Each frame is one packet of a Unix socket that keeps packets apart; the elements of the arrays lie
in shared memory (`memory.py`) and never pass through it.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

FRAME_BYTES = 64 << 10
READY, OUTPUT, FAILURE = range(3)

_QUESTION = struct.Struct("<QB?4sB")
_OUTPUT = struct.Struct("<BQ4sBddd")
_AXIS_BYTES = 8
_MESSAGE_LENGTH = 4000


@dataclass(frozen=True)
class Question:
    """An array to predict with.

    Attributes:
        dtype: NumPy's name of the type, such as `<f4`.
        shape: Length of each axis; the first is the batch.
        size: Bytes of the array, which begin the memory of the input.
        kind: Number of the contract's `OutputKind` that is asked for.
        options: A message `PredictOptions`; empty: the model's own.
        describe: Whether the answer tells what was done.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    kind: int = 0
    options: bytes = b""
    describe: bool = False

    def joins(self, other: "Question") -> bool:
        """Returns whether the arrays of both can be one: all but the first axis agrees."""
        return (
            self.shape[1:] == other.shape[1:]
            and (self.dtype, self.kind) == (other.dtype, other.kind)
            and (self.options, self.describe) == (other.options, other.describe)
        )

    def packed(self) -> bytes:
        """Returns the frame."""
        rank = len(self.shape)
        head = _QUESTION.pack(self.size, self.kind, self.describe, self.dtype.encode(), rank)
        return head + struct.pack(f"<{rank}q", *self.shape) + self.options

    @classmethod
    @lru_cache(maxsize=16)
    def unpacked(cls, frame: bytes) -> "Question":
        """Returns what a frame holds; most are the same as one of the last."""
        size, kind, describe, dtype, rank = _QUESTION.unpack_from(frame)
        shape = struct.unpack_from(f"<{rank}q", frame, _QUESTION.size)
        options = frame[_QUESTION.size + _AXIS_BYTES * rank :]
        return cls(_name(dtype), shape, size, kind, options, describe)


@dataclass(frozen=True)
class Output:
    """An array that a model gave.

    Attributes:
        dtype: NumPy's name of the type.
        shape: Length of each axis.
        size: Bytes of the array, which begin the memory of the output.
        seconds: What taking the input, the prediction and storing the output took.
        description: A message `Description`, where asked for.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    seconds: tuple[float, float, float]
    description: bytes = b""

    def packed(self) -> bytes:
        """Returns the frame."""
        rank = len(self.shape)
        head = _OUTPUT.pack(OUTPUT, self.size, self.dtype.encode(), rank, *self.seconds)
        return head + struct.pack(f"<{rank}q", *self.shape) + self.description

    @classmethod
    def unpacked(cls, frame: bytes) -> "Output":
        """Returns what a frame holds."""
        _, size, dtype, rank, *seconds = _OUTPUT.unpack_from(frame)
        shape = struct.unpack_from(f"<{rank}q", frame, _OUTPUT.size)
        description = frame[_OUTPUT.size + _AXIS_BYTES * rank :]
        return cls(_name(dtype), shape, size, (seconds[0], seconds[1], seconds[2]), description)


def packed_failure(reason: str, message: str) -> bytes:
    """Returns the frame of a failure."""
    return bytes([FAILURE]) + f"{reason}\0{message[:_MESSAGE_LENGTH]}".encode()


def unpacked_failure(frame: bytes) -> tuple[str, str]:
    """Returns reason and message of a failure."""
    reason, _, message = frame[1:].decode().partition("\0")
    return reason, message


def _name(dtype: bytes) -> str:
    return dtype.rstrip(b"\0").decode()
