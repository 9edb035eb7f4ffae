"""The errors of the client.

    ClientError
    ├─ ServerUnreachable      nobody answers, or not in time
    ├─ InvalidRequest ─ InvalidConfiguration (violations)
    ├─ NotFound, PermissionDenied, FailedPrecondition, Exhausted, DataLost
    ├─ ServerFailed           a fault of the server
    ├─ JobFailed, JobCancelled
    ├─ UnusableData           data on this side that cannot be trained on
    └─ LocalFileError         a file on this side

`reason` is for programs; a class is chosen by status code and reason, never by the text.
"""

from typing import ClassVar

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dlae.v1.training_pb2 import Job
from dlae_core.errors import Violation


class ClientError(Exception):
    """Anything that can go wrong for a caller.

    Attributes:
        reason: Upper snake case, for programs.
        exit_code: What the command line ends with.
        told: Whether the command line has printed its JSON document already.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, reason: str = "UNKNOWN") -> None:
        super().__init__(message)
        self.reason = reason
        self.told = False


class ServerUnreachable(ClientError):
    """Nobody answers, or not in time."""

    exit_code = 6


class InvalidRequest(ClientError):
    """The server does not accept what was sent."""

    exit_code = 2


class InvalidConfiguration(InvalidRequest):
    """A configuration with mistakes.

    Attributes:
        violations: All of them.
    """

    exit_code = 3

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        count = len(violations)
        noun = "mistake" if count == 1 else "mistakes"
        lines = "".join(f"\n  {violation}" for violation in violations)
        super().__init__(f"the configuration has {count} {noun}:{lines}", "INVALID_CONFIG")
        self.violations = violations


class NotFound(ClientError):
    """There is no such job or model."""

    exit_code = 4


class PermissionDenied(ClientError):
    """The server does not allow it."""

    exit_code = 5


class FailedPrecondition(ClientError):
    """Not in this state."""


class Exhausted(ClientError):
    """The server has no room for it now."""


class DataLost(ClientError):
    """Something stored or sent is damaged."""


class ServerFailed(ClientError):
    """A fault of the server."""


class LocalFileError(ClientError):
    """A file on this side is missing, unreadable, in the way, or cannot be written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "LOCAL_FILE")


class UnusableData(ClientError):
    """Data on this side that cannot be trained on, or made into a data set."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(message, "UNUSABLE_DATASET")


class JobFailed(ClientError):
    """A job has ended with an error.

    Attributes:
        job: The job.
    """

    exit_code = 7

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} failed: {job.error.message}", job.error.reason)
        self.job = job


class JobCancelled(ClientError):
    """A job has been stopped on request.

    Attributes:
        job: The job.
    """

    exit_code = 8

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} was cancelled", "JOB_CANCELLED")
        self.job = job


ERRORS: dict[grpc.StatusCode, type[ClientError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: PermissionDenied,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.ALREADY_EXISTS: FailedPrecondition,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exhausted,
    grpc.StatusCode.DATA_LOSS: DataLost,
    grpc.StatusCode.UNAVAILABLE: ServerUnreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: ServerUnreachable,
}


NOT_CONNECTED = "failed to connect"
# What gRPC says of a connection that failed -> what it means.
DISTRUST = {
    "certificate has expired": "its certificate has expired; whoever runs it renews it",
    "unable to get local issuer": "its certificate is signed by somebody else than --tls-ca names",
    "self signed": "its certificate is signed by somebody else than --tls-ca names",
    "Hostname Verification": "its certificate is for another name; use the one that it is for",
    "WRONG_VERSION_NUMBER": "it does not speak TLS; leave out --tls and the files of TLS",
    "Socket closed": "it hung up; it may want TLS (--tls-ca), or a certificate (--tls-certificate)",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not valid",
}


def error_from_rpc(error: grpc.RpcError, server: str) -> ClientError:
    """Returns the client's error for a failed call.

    Args:
        error: As gRPC raised it.
        server: Address of the server.
    """
    reason, violations = _details(error)
    if reason == "INVALID_CONFIG":
        return InvalidConfiguration(violations)
    code = error.code()
    if code == grpc.StatusCode.UNAVAILABLE and not reason:
        return unreachable(server, error.details() or "")
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        message = f"the DLAE server at {server} did not answer in time"
        return ServerUnreachable(message, "DEADLINE_EXCEEDED")
    return ERRORS.get(code, ServerFailed)(error.details() or code.name, reason or code.name)


def unreachable(server: str, details: str = "") -> ServerUnreachable:
    """Returns the error for a server that does not answer, or that cannot be believed.

    Args:
        server: Its address.
        details: What gRPC says; chooses the words for people, nothing else.
    """
    if NOT_CONNECTED in details:
        for words, told in DISTRUST.items():
            if words in details:
                message = f"no safe connection to the DLAE server at {server}: {told}"
                return ServerUnreachable(message, "UNREACHABLE")
    return ServerUnreachable(
        f"no DLAE server answers at {server}; start one with `dlae-server` or name another with "
        "--server",
        "UNREACHABLE",
    )


def _details(error: grpc.RpcError) -> tuple[str, tuple[Violation, ...]]:
    """Returns reason and violations of a failed call, as far as it carries any."""
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        for message in (info, bad):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    rows = bad.field_violations
    return info.reason, tuple(Violation(row.field, row.reason, row.description) for row in rows)
