"""The table of errors and statuses."""

import grpc
import pytest
from google.rpc import error_details_pb2

from dlae_core import errors as core_errors
from dlae_core.errors import DlaeError, InvalidConfig, InvalidImage, Violation
from dlae_server import errors as server_errors
from dlae_server.access import errors as access_errors
from dlae_server.status import STATUSES, code_of, internal_status, status_of

OURS = {
    found
    for module in (core_errors, server_errors, access_errors)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, DlaeError)
}


def test_every_error_has_its_status() -> None:
    assert server_errors.ShuttingDown in OURS
    assert set(STATUSES) == OURS


def test_an_error_below_a_known_one_takes_its_status() -> None:
    class Blurred(InvalidImage):
        """An image without edges."""

    assert code_of(Blurred("no edges")) == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("count", [1, 5, 10_000])
def test_a_status_fits_into_the_trailers(count: int) -> None:
    violations = [Violation(f"s.k{row}", "WRONG", "a long story " * 200) for row in range(count)]
    status = status_of(InvalidConfig(violations), "id")
    # Base64 in the trailers, the message a second time, and the limit of a client by default.
    assert status.ByteSize() * 4 / 3 + len(status.message) < 8192
    request = error_details_pb2.BadRequest()
    assert status.details[2].Unpack(request)
    assert request.field_violations[0].field == "s.k0"


def test_a_fault_of_ours_tells_only_where_to_look() -> None:
    status = internal_status("1234")
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert "1234" in status.message
