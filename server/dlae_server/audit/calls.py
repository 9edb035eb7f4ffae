"""Which calls are recorded, and when: one table of all methods.

A test demands that every method is here; one that is not is recorded as a change.
"""

from dlae_server.access.methods import of_method

# What a call is to the log. Refused calls are recorded whatever they are.
CHANGE = "change"  # recorded, and on the disk before the answer
REVEAL = "reveal"  # recorded, and on the disk a moment later
QUIET = "quiet"  # not recorded: lists, states and health, asked for many times a minute

# Service -> method -> what it is.
CALLS: dict[str, dict[str, str]] = {
    "grpc.health.v1.Health": {"Check": QUIET, "List": QUIET, "Watch": QUIET},
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo": QUIET},
    "dlae.v1.TrainingService": {
        # It reads data files and tells what is in them.
        "Validate": REVEAL,
        "Train": CHANGE,
        "Run": CHANGE,
        "Status": QUIET,
        "ListJobs": QUIET,
        "Watch": QUIET,
        "Cancel": CHANGE,
        "Pause": CHANGE,
        "Resume": CHANGE,
        "Logs": REVEAL,
        "DeleteJob": CHANGE,
        "FetchResult": REVEAL,
    },
    "dlae.v1.PredictionService": {"Predict": REVEAL, "PredictStream": REVEAL},
    "dlae.v1.ModelService": {
        "ListModels": QUIET,
        "GetModel": REVEAL,
        "FetchModel": REVEAL,
        "SetAlias": CHANGE,
        "RollBackAlias": CHANGE,
        "RemoveAlias": CHANGE,
        "ListModelChanges": QUIET,
        "DeleteModel": CHANGE,
        "GetModelCard": REVEAL,
        # It tells whether a part of a file is there.
        "StartImport": REVEAL,
        "ImportModel": CHANGE,
    },
    "dlae.v1.DatasetService": {
        # They tell whether a file is there.
        "FindFiles": REVEAL,
        "StartUpload": REVEAL,
        "UploadDataset": CHANGE,
        "GetDataset": REVEAL,
        "ListDatasets": QUIET,
        "DeleteDataset": CHANGE,
    },
    "inference.GRPCInferenceService": {
        "ServerLive": QUIET,
        "ServerReady": QUIET,
        "ServerMetadata": QUIET,
        "ModelReady": QUIET,
        "ModelMetadata": QUIET,
        "ModelInfer": REVEAL,
        "ModelConfig": QUIET,
        "ModelStatistics": QUIET,
        "RepositoryIndex": QUIET,
        "RepositoryModelLoad": CHANGE,
        "RepositoryModelUnload": CHANGE,
    },
}


def kind_of(method: str) -> str:
    """Returns what `/service/method` is to the log; a change where it is unknown."""
    return of_method(CALLS, method, CHANGE)
