"""Arrays to and from `dlae.v1` tensors.

Stands beside the contract because every side of it needs it. The bytes of a tensor are row-major
and little-endian.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlae.v1 import tensor_pb2 as pb

DATA_TYPES: dict["pb.DataType", np.dtype] = {
    pb.DATA_TYPE_BOOL: np.dtype("?"),
    pb.DATA_TYPE_UINT8: np.dtype("u1"),
    pb.DATA_TYPE_UINT16: np.dtype("<u2"),
    pb.DATA_TYPE_UINT32: np.dtype("<u4"),
    pb.DATA_TYPE_UINT64: np.dtype("<u8"),
    pb.DATA_TYPE_INT8: np.dtype("i1"),
    pb.DATA_TYPE_INT16: np.dtype("<i2"),
    pb.DATA_TYPE_INT32: np.dtype("<i4"),
    pb.DATA_TYPE_INT64: np.dtype("<i8"),
    pb.DATA_TYPE_FLOAT16: np.dtype("<f2"),
    pb.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    pb.DATA_TYPE_FLOAT64: np.dtype("<f8"),
}
_NUMBERS = {dtype: number for number, dtype in DATA_TYPES.items()}


def header_from_array(array: NDArray[np.generic]) -> pb.TensorHeader:
    """Returns type and shape of an array.

    Raises:
        TypeError: The array's type has no counterpart in the contract (text, complex, object).
    """
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _NUMBERS:
        names = ", ".join(known.name for known in DATA_TYPES.values())
        raise TypeError(f"expected an array of {names}, got {array.dtype}")
    return pb.TensorHeader(data_type=_NUMBERS[dtype], shape=array.shape)


def bytes_from_array(array: NDArray[np.generic]) -> memoryview:
    """Returns the elements as flat bytes, without a copy where the layout already fits."""
    fitting = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return memoryview(fitting.reshape(-1).view(np.uint8))


def tensor_from_array(array: NDArray[np.generic]) -> pb.Tensor:
    """Returns an array as a message.

    Raises:
        TypeError: The array's type has no counterpart in the contract.
    """
    header = header_from_array(array)
    data = bytes_from_array(array).tobytes()
    return pb.Tensor(data_type=header.data_type, shape=header.shape, data=data)


def byte_count(data_type: "pb.DataType", shape: Sequence[int]) -> int:
    """Returns the length in bytes of an array of this type and shape.

    Raises:
        ValueError: The type is not given or unknown, or an axis is negative.
    """
    if data_type not in DATA_TYPES:
        raise ValueError("expected a tensor with a data type, got none or an unknown one")
    if any(length < 0 for length in shape):
        raise ValueError(f"expected axes of length 0 or more, got shape {tuple(shape)}")
    return math.prod(shape) * DATA_TYPES[data_type].itemsize


def array_from_bytes(
    data: bytes | bytearray | memoryview, data_type: "pb.DataType", shape: Sequence[int]
) -> NDArray[np.generic]:
    """Returns an array that shares memory with `data`.

    Raises:
        ValueError: Type, shape and length do not fit.
    """
    expected = byte_count(data_type, shape)
    if len(data) != expected:
        dtype = DATA_TYPES[data_type].name
        raise ValueError(
            f"expected {expected} bytes for {dtype} of shape {tuple(shape)}, got {len(data)}"
        )
    return np.frombuffer(data, dtype=DATA_TYPES[data_type]).reshape(tuple(shape))


def array_from_tensor(tensor: pb.Tensor) -> NDArray[np.generic]:
    """Returns a message as a read-only array that shares its memory.

    Raises:
        ValueError: Type, shape and length do not fit.
    """
    return array_from_bytes(tensor.data, tensor.data_type, tensor.shape)
