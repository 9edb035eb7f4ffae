"""What the server and a model's process tell each other: frames of a few numbers.

Each frame is one packet of a Unix socket that keeps packets apart; the elements of the arrays lie
in shared memory (`memory.py`) and never pass through it.
"""

import struct
from dataclasses import dataclass

FRAME_BYTES = 64 << 10
READY, OUTPUT, FAILURE = range(3)

_QUESTION = struct.Struct("<Q?4sB")
_OUTPUT = struct.Struct("<BQ4sBddd")
_MESSAGE_LENGTH = 4000


@dataclass(frozen=True)
class Question:
    """An array to predict with.

    Attributes:
        dtype: NumPy's name of the type, such as `<f4`.
        shape: Length of each axis; the first is the batch.
        size: Bytes of the array, which begin the memory of the input.
        labels: Whether the most probable classes are asked for.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    labels: bool

    def packed(self) -> bytes:
        """Returns the frame."""
        rank = len(self.shape)
        head = _QUESTION.pack(self.size, self.labels, self.dtype.encode(), rank)
        return head + struct.pack(f"<{rank}q", *self.shape)

    @classmethod
    def unpacked(cls, frame: bytes) -> "Question":
        """Returns what a frame holds."""
        size, labels, dtype, rank = _QUESTION.unpack_from(frame)
        shape = struct.unpack_from(f"<{rank}q", frame, _QUESTION.size)
        return cls(_name(dtype), shape, size, labels)


@dataclass(frozen=True)
class Output:
    """An array that a model gave.

    Attributes:
        dtype: NumPy's name of the type.
        shape: Length of each axis.
        size: Bytes of the array, which begin the memory of the output.
        seconds: What taking the input, the prediction and storing the output took.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    seconds: tuple[float, float, float]

    def packed(self) -> bytes:
        """Returns the frame."""
        rank = len(self.shape)
        head = _OUTPUT.pack(OUTPUT, self.size, self.dtype.encode(), rank, *self.seconds)
        return head + struct.pack(f"<{rank}q", *self.shape)

    @classmethod
    def unpacked(cls, frame: bytes) -> "Output":
        """Returns what a frame holds."""
        _, size, dtype, rank, *seconds = _OUTPUT.unpack_from(frame)
        shape = struct.unpack_from(f"<{rank}q", frame, _OUTPUT.size)
        return cls(_name(dtype), shape, size, (seconds[0], seconds[1], seconds[2]))


def packed_failure(reason: str, message: str) -> bytes:
    """Returns the frame of a failure."""
    return bytes([FAILURE]) + f"{reason}\0{message[:_MESSAGE_LENGTH]}".encode()


def unpacked_failure(frame: bytes) -> tuple[str, str]:
    """Returns reason and message of a failure."""
    reason, _, message = frame[1:].decode().partition("\0")
    return reason, message


def _name(dtype: bytes) -> str:
    return dtype.rstrip(b"\0").decode()
