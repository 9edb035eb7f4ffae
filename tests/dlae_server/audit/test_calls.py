"""Which calls are recorded: every method has its place, from the descriptors."""

from dlae_server.access.scopes import LEAST
from dlae_server.audit.calls import CALLS, CHANGE, QUIET, REVEAL, kind_of
from tests.dlae_server.access.test_role_matrix import ALL

# Written a second time: what leaves no record, and what has one before its answer.
WITHOUT_RECORD = {
    "Health": "Check List Watch",
    "ServerReflection": "ServerReflectionInfo",
    "TrainingService": "Status ListJobs Watch",
    "ModelService": "ListModels ListModelChanges",
    "DatasetService": "ListDatasets",
    "GRPCInferenceService": "ServerLive ServerReady ServerMetadata ModelReady ModelMetadata "
    "ModelConfig ModelStatistics RepositoryIndex",
}
CHANGES = {
    "TrainingService": "Train Run Cancel Pause Resume DeleteJob",
    "ModelService": "SetAlias RollBackAlias RemoveAlias DeleteModel ImportModel",
    "DatasetService": "UploadDataset DeleteDataset",
    "GRPCInferenceService": "RepositoryModelLoad RepositoryModelUnload",
}


def placed(kind: str) -> dict[str, set[str]]:
    found = {
        service.rpartition(".")[2]: {name for name, one in methods.items() if one == kind}
        for service, methods in CALLS.items()
    }
    return {service: methods for service, methods in found.items() if methods}


def test_every_method_is_placed_and_nothing_else() -> None:
    assert {f"/{name}/{one}" for name, methods in CALLS.items() for one in methods} == set(ALL)


def test_what_changes_is_recorded_first_and_lists_are_not_recorded() -> None:
    assert placed(QUIET) == {name: set(text.split()) for name, text in WITHOUT_RECORD.items()}
    assert placed(CHANGE) == {name: set(text.split()) for name, text in CHANGES.items()}


def test_what_viewers_may_not_call_is_recorded_but_for_what_models_are() -> None:
    unrecorded = {
        name
        for service, methods in LEAST.items()
        for name, least in methods.items()
        if least in ("trainer", "admin") and kind_of(f"/{service}/{name}") == QUIET
    }
    assert unrecorded == set()


def test_a_method_without_a_place_is_recorded_as_a_change() -> None:
    assert kind_of("/dlae.v1.TrainingService/Explode") == CHANGE
    assert kind_of("/dlae.v1.PredictionService/Predict") == REVEAL
