"""The DLAE client: trains and predicts through a DLAE server. Never imports TensorFlow."""

from dlae_client.client import Client
from dlae_client.credentials import Credentials
from dlae_client.errors import (
    ClientError,
    DataLost,
    Exhausted,
    FailedPrecondition,
    InvalidConfiguration,
    InvalidRequest,
    JobCancelled,
    JobFailed,
    LocalFileError,
    NotFound,
    PermissionDenied,
    ServerFailed,
    ServerUnreachable,
)
from dlae_client.jobs import JobOptions
from dlae_client.predictions import Asked

__all__ = [
    "Asked",
    "Client",
    "ClientError",
    "Credentials",
    "DataLost",
    "Exhausted",
    "FailedPrecondition",
    "InvalidConfiguration",
    "InvalidRequest",
    "JobCancelled",
    "JobFailed",
    "JobOptions",
    "LocalFileError",
    "NotFound",
    "PermissionDenied",
    "ServerFailed",
    "ServerUnreachable",
]
