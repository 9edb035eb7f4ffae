"""What a call of each method may take: time, length of a message, and how many at once of a caller.

A method that is not here is bounded as one that reads; a test demands that every method is here.
What bounds the content of requests, such as lengths of pages and numbers of files, stands where
they are read; what bounds all callers together, such as queues and volumes, where it is kept.
"""

from dataclasses import dataclass

from dlae_server.access.methods import of_method

_MIB = 1 << 20
_DAY = 24 * 3600.0


@dataclass(frozen=True)
class Bound:
    """The bounds of a method.

    Attributes:
        seconds: How long a call may take; None: as long as its answers are read.
        message_bytes: Length of one message that comes; None: what the server takes of any.
        together: Calls of one caller at once; None: as many as of all methods.
        keeps: Whether all that comes is kept in memory until the answer, not only a piece.
    """

    seconds: float | None
    message_bytes: int | None = 64 << 10
    together: int | None = None
    keeps: bool = True


ASKS = Bound(10)
READS = Bound(60)
CHANGES = Bound(120)
SUBMITS = Bound(120, 8 * _MIB)
CHECKS = Bound(900, 8 * _MIB, together=4)
PREDICTS = Bound(600, None)
STREAMS = Bound(3600, None)
BRINGS = Bound(_DAY, 5 * _MIB, together=16, keeps=False)
IMPORTS = Bound(2 * 3600, 5 * _MIB, together=2, keeps=False)
HANDS_OUT = Bound(_DAY, together=64)
FOLLOWS = Bound(None)
LOADS = Bound(600)

# Service -> method -> its bounds.
BOUNDS: dict[str, dict[str, Bound]] = {
    "grpc.health.v1.Health": {"Check": ASKS, "List": ASKS, "Watch": FOLLOWS},
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo": READS},
    "dlae.v1.TrainingService": {
        "Validate": CHECKS,
        "Train": SUBMITS,
        "Run": SUBMITS,
        "Status": READS,
        "ListJobs": READS,
        "Watch": FOLLOWS,
        "Cancel": CHANGES,
        "Pause": CHANGES,
        "Resume": CHANGES,
        "Logs": FOLLOWS,
        "DeleteJob": CHANGES,
        "FetchResult": HANDS_OUT,
    },
    "dlae.v1.PredictionService": {"Predict": PREDICTS, "PredictStream": STREAMS},
    "dlae.v1.ModelService": {
        "ListModels": READS,
        "GetModel": READS,
        "FetchModel": HANDS_OUT,
        "SetAlias": CHANGES,
        "RollBackAlias": CHANGES,
        "RemoveAlias": CHANGES,
        "ListModelChanges": READS,
        "DeleteModel": CHANGES,
        "GetModelCard": READS,
        "StartImport": READS,
        "ImportModel": IMPORTS,
    },
    "dlae.v1.DatasetService": {
        # A thousand paths.
        "FindFiles": Bound(60, 8 * _MIB),
        "StartUpload": READS,
        "UploadDataset": BRINGS,
        "GetDataset": READS,
        "ListDatasets": READS,
        "DeleteDataset": CHANGES,
    },
    "inference.GRPCInferenceService": {
        "ServerLive": ASKS,
        "ServerReady": ASKS,
        "ServerMetadata": ASKS,
        "ModelReady": READS,
        "ModelMetadata": READS,
        "ModelInfer": PREDICTS,
        "ModelConfig": READS,
        "ModelStatistics": READS,
        "RepositoryIndex": READS,
        "RepositoryModelLoad": LOADS,
        "RepositoryModelUnload": LOADS,
    },
}


def bound_of(method: str) -> Bound:
    """Returns the bounds of `/service/method`."""
    return of_method(BOUNDS, method, READS)
