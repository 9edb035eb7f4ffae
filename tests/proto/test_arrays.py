"""Arrays to and from tensors."""

import numpy as np
import pytest

from dlae.arrays import (
    DATA_TYPES,
    array_from_bytes,
    array_from_tensor,
    byte_count,
    bytes_from_array,
    header_from_array,
    tensor_from_array,
)
from dlae.v1 import tensor_pb2 as pb


@pytest.mark.parametrize("dtype", DATA_TYPES.values(), ids=str)
@pytest.mark.parametrize("order", ["<", ">"])
def test_arrays_of_every_type_and_byte_order_come_back(dtype: np.dtype, order: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype.newbyteorder(order))[:, ::-1]
    found = array_from_tensor(tensor_from_array(array))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2)])
def test_scalars_and_empty_arrays_come_back(shape: tuple[int, ...]) -> None:
    assert array_from_tensor(tensor_from_array(np.zeros(shape, np.float32))).shape == shape


def test_every_type_of_the_contract_is_known() -> None:
    assert set(DATA_TYPES) == set(pb.DataType.values()) - {pb.DATA_TYPE_UNSPECIFIED}


def test_types_without_a_counterpart_are_refused() -> None:
    for array in (np.zeros(2, np.complex64), np.array(["a"]), np.array([None])):
        with pytest.raises(TypeError, match="expected an array of"):
            tensor_from_array(array)


def test_bytes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 24 bytes"):
        array_from_bytes(b"\0" * 23, pb.DATA_TYPE_FLOAT32, (2, 3))
    with pytest.raises(ValueError, match="axes of length 0 or more"):
        byte_count(pb.DATA_TYPE_UINT8, (2, -1))
    with pytest.raises(ValueError, match="none or an unknown"):
        byte_count(pb.DATA_TYPE_UNSPECIFIED, (2,))
    with pytest.raises(ValueError, match="none or an unknown"):
        byte_count(max(pb.DataType.values()) + 1, (2,))
    with pytest.raises(ValueError, match="expected 0 bytes"):
        array_from_bytes(b"\0", pb.DATA_TYPE_FLOAT32, (2, 0))


def test_big_endian_numbers_travel_as_little_endian_bytes() -> None:
    tensor = tensor_from_array(np.array([1, 256], ">u2"))
    assert (tensor.data_type, tensor.data) == (pb.DATA_TYPE_UINT16, b"\x01\x00\x00\x01")


def test_columns_first_arrays_travel_row_by_row() -> None:
    array = np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    assert tensor_from_array(array).data == bytes([1, 2, 3, 4, 5, 6])


def test_a_header_holds_type_and_shape() -> None:
    header = header_from_array(np.zeros((2, 0, 3), ">f8"))
    assert (header.data_type, list(header.shape)) == (pb.DATA_TYPE_FLOAT64, [2, 0, 3])


def test_fitting_arrays_are_not_copied() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    data = bytes_from_array(array)
    assert np.shares_memory(array, np.frombuffer(data, np.float32))
    back = array_from_bytes(data, pb.DATA_TYPE_FLOAT32, (2, 3))
    assert np.shares_memory(array, back)


def test_arrays_of_messages_cannot_be_written() -> None:
    found = array_from_tensor(tensor_from_array(np.zeros(2, np.float32)))
    assert not found.flags.writeable


def test_byte_counts_do_not_overflow() -> None:
    assert byte_count(pb.DATA_TYPE_FLOAT64, (2**40, 2**40)) == 2**83
