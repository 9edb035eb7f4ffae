"""The scopes, and the least that each method asks for: one table of all methods.

A method that is not here is for administrators; a test demands that every method is here.
"""

from dlae_server.access.methods import of_method

# Each allows what those before it allow.
SCOPES = ("viewer", "predictor", "trainer", "admin")
OPEN = ""

_VIEWER, _PREDICTOR, _TRAINER, _ADMIN = SCOPES

# Service -> method -> least scope; open ones ask for no credentials.
LEAST: dict[str, dict[str, str]] = {
    "grpc.health.v1.Health": {"Check": OPEN, "List": OPEN, "Watch": OPEN},
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo": _VIEWER},
    "dlae.v1.TrainingService": {
        "Validate": _TRAINER,
        "Train": _TRAINER,
        "Run": _TRAINER,
        "Status": _VIEWER,
        "ListJobs": _VIEWER,
        "Watch": _VIEWER,
        "Cancel": _TRAINER,
        "Pause": _TRAINER,
        "Resume": _TRAINER,
        "Logs": _VIEWER,
        "DeleteJob": _TRAINER,
        # Predictions of whole files are what a predictor may have.
        "FetchResult": _PREDICTOR,
    },
    "dlae.v1.PredictionService": {"Predict": _PREDICTOR, "PredictStream": _PREDICTOR},
    "dlae.v1.ModelService": {
        "ListModels": _VIEWER,
        "GetModel": _VIEWER,
        # A network can hold traces of what it was trained with.
        "FetchModel": _PREDICTOR,
        "SetAlias": _TRAINER,
        "RollBackAlias": _TRAINER,
        "RemoveAlias": _TRAINER,
        "ListModelChanges": _VIEWER,
        "DeleteModel": _ADMIN,
        "GetModelCard": _VIEWER,
        "StartImport": _TRAINER,
        "ImportModel": _TRAINER,
    },
    "dlae.v1.DatasetService": {
        "FindFiles": _TRAINER,
        "StartUpload": _TRAINER,
        "UploadDataset": _TRAINER,
        "GetDataset": _VIEWER,
        "ListDatasets": _VIEWER,
        "DeleteDataset": _ADMIN,
    },
    "inference.GRPCInferenceService": {
        # What watches over servers asks these without credentials.
        "ServerLive": OPEN,
        "ServerReady": OPEN,
        "ServerMetadata": _PREDICTOR,
        "ModelReady": _PREDICTOR,
        "ModelMetadata": _PREDICTOR,
        "ModelInfer": _PREDICTOR,
        "ModelConfig": _PREDICTOR,
        "ModelStatistics": _PREDICTOR,
        "RepositoryIndex": _PREDICTOR,
        "RepositoryModelLoad": _TRAINER,
        "RepositoryModelUnload": _TRAINER,
    },
}


def least_scope(method: str) -> str:
    """Returns the least scope for `/service/method`; that of administrators where it is unknown."""
    return of_method(LEAST, method, _ADMIN)


def allows(scope: str, least: str) -> bool:
    """Returns whether a scope allows what asks for another."""
    return least == OPEN or SCOPES.index(scope) >= SCOPES.index(least)
