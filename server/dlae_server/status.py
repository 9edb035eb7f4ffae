"""Errors to gRPC statuses: the one table, and the details that every failed call carries."""

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from dlae_core import errors as core
from dlae_server import errors as server
from dlae_server.access import errors as access

DOMAIN = "dlae.dev"

# A status travels in the trailers, of which a client takes 8 KiB: the details grow by a third
# there, and hold the message a second time.
DETAIL_BYTES = 3500
MESSAGE_LENGTH = 1000

STATUSES: dict[type[core.DlaeError], grpc.StatusCode] = {
    core.DlaeError: grpc.StatusCode.INTERNAL,
    core.InvalidConfig: grpc.StatusCode.INVALID_ARGUMENT,
    core.InvalidTensor: grpc.StatusCode.INVALID_ARGUMENT,
    core.InvalidImage: grpc.StatusCode.INVALID_ARGUMENT,
    core.InvalidOptions: grpc.StatusCode.INVALID_ARGUMENT,
    core.UnusableDataset: grpc.StatusCode.FAILED_PRECONDITION,
    core.IncompatibleArtifact: grpc.StatusCode.FAILED_PRECONDITION,
    core.CorruptArtifact: grpc.StatusCode.DATA_LOSS,
    core.WeightsNotFound: grpc.StatusCode.FAILED_PRECONDITION,
    core.StorageFailed: grpc.StatusCode.RESOURCE_EXHAUSTED,
    core.DeviceOutOfMemory: grpc.StatusCode.RESOURCE_EXHAUSTED,
    core.MachineLost: grpc.StatusCode.UNAVAILABLE,
    core.TrainingDiverged: grpc.StatusCode.ABORTED,
    core.TrainingCancelled: grpc.StatusCode.CANCELLED,
    server.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    server.InvalidStream: grpc.StatusCode.INVALID_ARGUMENT,
    server.JobNotFound: grpc.StatusCode.NOT_FOUND,
    server.ModelNotFound: grpc.StatusCode.NOT_FOUND,
    server.ResultNotFound: grpc.StatusCode.NOT_FOUND,
    server.JobFinished: grpc.StatusCode.FAILED_PRECONDITION,
    server.JobBusy: grpc.StatusCode.FAILED_PRECONDITION,
    server.RequestIdInUse: grpc.StatusCode.ALREADY_EXISTS,
    server.ModelInUse: grpc.StatusCode.FAILED_PRECONDITION,
    server.DatasetNotFound: grpc.StatusCode.NOT_FOUND,
    server.DatasetInUse: grpc.StatusCode.FAILED_PRECONDITION,
    server.QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    server.UploadStalled: grpc.StatusCode.ABORTED,
    server.NoEarlierVersion: grpc.StatusCode.FAILED_PRECONDITION,
    server.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    access.DiskLow: grpc.StatusCode.RESOURCE_EXHAUSTED,
    access.MemoryLow: grpc.StatusCode.RESOURCE_EXHAUSTED,
    access.CallerLimit: grpc.StatusCode.RESOURCE_EXHAUSTED,
    access.RequestTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    access.CallTooLong: grpc.StatusCode.DEADLINE_EXCEEDED,
    access.IssuerUnreachable: grpc.StatusCode.UNAVAILABLE,
    access.StreamStalled: grpc.StatusCode.ABORTED,
    server.TensorTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    server.OutOfTime: grpc.StatusCode.DEADLINE_EXCEEDED,
    server.ModelProcessDied: grpc.StatusCode.UNAVAILABLE,
    server.ShuttingDown: grpc.StatusCode.UNAVAILABLE,
    server.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    server.CredentialsMissing: grpc.StatusCode.UNAUTHENTICATED,
    server.TokenInvalid: grpc.StatusCode.UNAUTHENTICATED,
    server.CredentialsExpired: grpc.StatusCode.UNAUTHENTICATED,
    server.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    server.ProjectDenied: grpc.StatusCode.PERMISSION_DENIED,
    server.CannotStart: grpc.StatusCode.INTERNAL,
}


def code_of(error: core.DlaeError) -> grpc.StatusCode:
    """Returns the status code of an error: that of its class or of the nearest base class."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def status_of(error: core.DlaeError, request_id: str) -> status_pb2.Status:
    """Returns the status of an error with reason, violations and request id."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if isinstance(error, core.InvalidConfig):
        details.append(_bad_request(error))
    if isinstance(error, server.QueueFull):
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return _status(code_of(error), _shortened(str(error)), details)


def internal_status(request_id: str) -> status_pb2.Status:
    """Returns the status of a fault of ours; what happened stands in the log only."""
    message = f"internal error; the server's log has it under request {request_id}"
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN)
    request = error_details_pb2.RequestInfo(request_id=request_id)
    return _status(grpc.StatusCode.INTERNAL, message, [info, request])


def _bad_request(error: core.InvalidConfig) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for index, violation in enumerate(error.violations):
        request.field_violations.add(
            field=violation.path,
            description=_shortened(violation.message),
            reason=violation.reason,
        )
        if request.ByteSize() > DETAIL_BYTES:
            rest = len(error.violations) - index
            message = f"{rest} more mistakes; Validate lists them all"
            del request.field_violations[-1]
            request.field_violations.add(description=message, reason="MORE_VIOLATIONS")
            break
    return request


def _shortened(text: str) -> str:
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 3] + "..."


def _status(code: grpc.StatusCode, message: str, details: list[Message]) -> status_pb2.Status:
    packed = []
    for detail in details:
        envelope = any_pb2.Any()
        envelope.Pack(detail)
        packed.append(envelope)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)
