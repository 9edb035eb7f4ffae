"""Every method, asked by every scope about things of its own project and of another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from grpc_status import rpc_status

from dlae_server.access.scopes import LEAST, OPEN, SCOPES, allows, least_scope
from dlae_server.access.tokens import create
from tests.dlae_server.access.projects import (
    ABSENT,
    ASKED,
    PROJECT,
    Names,
    as_absent,
    project_folder,
)
from tests.dlae_server.access.test_role_matrix import ALL
from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of


class Answer(NamedTuple):
    """How a call ends: code, reason, sentence, what violations say, and messages."""

    code: str
    reason: str = ""
    sentence: str = ""
    details: str = ""
    messages: tuple[bytes, ...] = ()


def told(error: grpc.RpcError) -> Answer:
    """Returns how a call failed, but for the id of its request."""
    status: Any = rpc_status.from_call(error)
    details = [str(one.value) for one in status.details if "RequestInfo" not in one.type_url]
    reason = reason_of(error) if status.details else ""
    return Answer(error.code().name, reason, error.details(), "".join(details))


def asked(channel: grpc.Channel, method: str, messages: list[Any], metadata: Any) -> Answer:
    """Asks a method."""
    call = channel.stream_stream(method)
    sent = [message.SerializeToString() for message in messages] or [b""]
    responses = call(iter(sent), metadata=metadata, timeout=20)
    try:
        return Answer("OK", messages=tuple(responses))
    except grpc.RpcError as error:
        return told(error)


class Asker:
    """Asks a running server as one who holds in one project."""

    channel: grpc.Channel

    def __init__(self, folder: Path) -> None:
        self.folder = project_folder(folder)
        self.tokens = {
            (project, scope): create(self.folder, f"{project}-{scope}", scope, projects=(project,))[
                1
            ]
            for project in (PROJECT, "brain")
            for scope in SCOPES
        }

    def ask(
        self, method: str, holder: tuple[str, str], names: Names, named: str | None = None
    ) -> Answer:
        """Asks as who holds in a project with a scope, naming a project or none."""
        service, _, name = method.strip("/").rpartition("/")
        asking = ASKED[service][name]
        messages = asking(names, self.folder, holder[1]) if asking else []
        metadata = [("authorization", f"Bearer {self.tokens[holder]}")]
        metadata += [("dlae-project", named)] if named else []
        return asked(self.channel, method, messages, metadata)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """What asks a server with things of one project."""
    folder = tmp_path_factory.mktemp("matrix") / "server"
    asker = Asker(folder)
    roots: dict[str, Any] = {
        "data_roots": (),
        "project_roots": ((PROJECT, folder / "own"), ("spleen", folder / "off")),
    }
    with serving(folder, **roots) as facts, grpc.insecure_channel(facts["listen"]) as channel:
        asker.channel = channel
        yield asker


CLOSED = [method for method in ALL if least_scope(method) != OPEN]
NAMING = [
    f"/{service}/{name}"
    for service, methods in ASKED.items()
    for name, asking in methods.items()
    if asking
]


def test_every_method_has_its_place_and_nothing_else_has_one() -> None:
    assert {f"/{name}/{one}" for name, methods in ASKED.items() for one in methods} == set(ALL)
    assert set(LEAST) == set(ASKED)


@pytest.mark.parametrize("method", NAMING)
def test_what_another_project_has_is_as_if_it_were_not_there(asker: Asker, method: str) -> None:
    for scope in SCOPES:
        own = asker.ask(method, (PROJECT, scope), Names())
        foreign = asker.ask(method, ("brain", scope), Names())
        absent = asker.ask(method, ("brain", scope), ABSENT)
        if not allows(scope, least_scope(method)):
            assert {one.code for one in (own, foreign, absent)} == {"PERMISSION_DENIED"}
            continue
        assert own.code not in ("NOT_FOUND", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED"), own
        assert as_absent(repr(foreign), Names()) == repr(absent)
        assert as_absent(repr(own), Names()) != repr(absent)


@pytest.mark.parametrize("method", CLOSED)
def test_a_project_that_a_token_does_not_hold_in_is_refused_whether_it_exists_or_not(
    asker: Asker, method: str
) -> None:
    for scope in SCOPES:
        there = asker.ask(method, ("brain", scope), Names(), PROJECT)
        nowhere = asker.ask(method, ("brain", scope), Names(), "river")
        reason = "PROJECT" if allows(scope, least_scope(method)) else "PERMISSION"
        assert (there.code, there.reason) == ("PERMISSION_DENIED", f"{reason}_DENIED")
        assert repr(there).replace(PROJECT, "river") == repr(nowhere)


@pytest.mark.parametrize(
    "method",
    [
        "/dlae.v1.TrainingService/ListJobs",
        "/dlae.v1.ModelService/ListModels",
        "/dlae.v1.DatasetService/ListDatasets",
        "/inference.GRPCInferenceService/RepositoryIndex",
        "/inference.GRPCInferenceService/ModelStatistics",
    ],
)
def test_lists_of_all_there_is_end_at_the_project(asker: Asker, method: str) -> None:
    for project in (PROJECT, "brain"):
        metadata = [("authorization", f"Bearer {asker.tokens[project, 'predictor']}")]
        found = asked(asker.channel, method, [], metadata)
        assert found.code == "OK"
        assert (found.messages == (b"",)) == (project == "brain")
