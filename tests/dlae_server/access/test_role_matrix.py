"""Every method of every service, asked by every role."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import dlae.v1
from dlae_server import oip
from dlae_server.access.scopes import LEAST, SCOPES, least_scope
from dlae_server.access.tokens import create
from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of

# Written a second time, by role: what each may besides those before it.
NOBODY = {
    "grpc.health.v1.Health": "Check List Watch",
    "inference.GRPCInferenceService": "ServerLive ServerReady",
}
MAY = {
    "viewer": {
        "grpc.reflection.v1alpha.ServerReflection": "ServerReflectionInfo",
        "dlae.v1.TrainingService": "Status ListJobs Watch Logs",
        "dlae.v1.ModelService": "ListModels GetModel ListModelChanges GetModelCard",
        "dlae.v1.DatasetService": "GetDataset ListDatasets",
    },
    "predictor": {
        "dlae.v1.PredictionService": "Predict PredictStream",
        "dlae.v1.ModelService": "FetchModel",
        "dlae.v1.TrainingService": "FetchResult",
        "inference.GRPCInferenceService": "ServerMetadata ModelReady ModelMetadata ModelInfer "
        "ModelConfig ModelStatistics RepositoryIndex",
    },
    "trainer": {
        "dlae.v1.TrainingService": "Validate Train Run Cancel Pause Resume DeleteJob",
        "dlae.v1.ModelService": "SetAlias RollBackAlias RemoveAlias StartImport ImportModel",
        "dlae.v1.DatasetService": "FindFiles StartUpload UploadDataset",
        "inference.GRPCInferenceService": "RepositoryModelLoad RepositoryModelUnload",
    },
    "admin": {
        "dlae.v1.ModelService": "DeleteModel",
        "dlae.v1.DatasetService": "DeleteDataset",
    },
}


def paths(services: dict[str, str]) -> set[str]:
    return {f"/{name}/{one}" for name, methods in services.items() for one in methods.split()}


def every_method() -> Iterator[str]:
    """Yields the path of every method, from the descriptors of what the server serves."""
    found = [
        importlib.import_module(f"dlae.v1.{module.name}")
        for module in pkgutil.iter_modules(dlae.v1.__path__)
        if module.name.endswith("_pb2")
    ]
    for module in (*found, health_pb2, reflection_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from (f"/{service.full_name}/{method.name}" for method in service.methods)
    yield from (f"/{oip.SERVICE}/{name}" for name in oip.methods())


# Health checks have it in later versions of their package.
LATER = "/grpc.health.v1.Health/List"
ALL = sorted({*every_method(), LATER})


def test_every_method_has_its_place_and_nothing_else_has_one() -> None:
    assert {f"/{name}/{one}" for name, methods in LEAST.items() for one in methods} == set(ALL)
    placed = [path for services in (NOBODY, *MAY.values()) for path in paths(services)]
    assert sorted(placed) == ALL


def test_a_method_without_a_place_is_for_administrators() -> None:
    assert least_scope("/dlae.v1.TrainingService/Explode") == "admin"
    assert least_scope("/new.Service/Status") == "admin"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, str]]:
    """(role, method) -> code and reason of a call with nothing in it."""
    folder = tmp_path_factory.mktemp("matrix")
    tokens = {scope: create(folder, scope, scope)[1] for scope in SCOPES}
    with serving(folder) as facts, grpc.insecure_channel(facts["listen"]) as channel:
        return {
            (role, method): answer(channel, method, token)
            for role, token in {"nobody": "", "stranger": "dlae_0_x", **tokens}.items()
            for method in ALL
        }


def answer(channel: grpc.Channel, method: str, token: str) -> tuple[str, str]:
    """Asks a method with an empty message, whatever it takes and gives."""
    call = channel.stream_stream(method)
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    responses = call(iter([b""]), metadata=metadata, timeout=10)
    try:
        next(responses, None)
        responses.cancel()
    except grpc.RpcError as error:
        code = error.code().name
        refused = code in ("UNAUTHENTICATED", "PERMISSION_DENIED")
        return code, reason_of(error) if refused else ""
    return "OK", ""


def test_every_role_may_call_what_it_may_and_nothing_else(
    answers: dict[tuple[str, str], tuple[str, str]],
) -> None:
    refusals = {
        "nobody": ("UNAUTHENTICATED", "CREDENTIALS_MISSING"),
        "stranger": ("UNAUTHENTICATED", "TOKEN_INVALID"),
        **dict.fromkeys(SCOPES, ("PERMISSION_DENIED", "PERMISSION_DENIED")),
    }
    allowed = {"nobody": paths(NOBODY), "stranger": paths(NOBODY)}
    may = paths(NOBODY)
    for scope in SCOPES:
        allowed[scope] = may = may | paths(MAY[scope])
    wrong = {
        key: found
        for key, found in answers.items()
        if (found == refusals[key[0]]) != (key[1] not in allowed[key[0]])
        or (key[1] in allowed[key[0]] and found[0] in ("UNAUTHENTICATED", "PERMISSION_DENIED"))
    }
    assert wrong == {}
    assert len(answers) == len(ALL) * 6


def test_no_call_with_nothing_in_it_is_a_fault_of_the_server(
    answers: dict[tuple[str, str], tuple[str, str]],
) -> None:
    faults = {key: code for key, (code, _) in answers.items() if code in ("INTERNAL", "UNKNOWN")}
    assert faults == {}


def test_permission_is_checked_before_existence_is_told(tmp_path: Path) -> None:
    viewer = create(tmp_path, "v", "viewer")[1]
    with serving(tmp_path) as facts, grpc.insecure_channel(facts["listen"]) as channel:
        codes = {
            answer(channel, method, viewer)[0]
            for method in (
                "/dlae.v1.TrainingService/DeleteJob",
                "/dlae.v1.ModelService/DeleteModel",
            )
        }
    assert codes == {"PERMISSION_DENIED"}
