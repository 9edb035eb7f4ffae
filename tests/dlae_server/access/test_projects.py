"""Projects: who holds where, and that two of them share names, content and nothing else."""

import http.client
import json
import sqlite3
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner

from dlae.v1 import training_pb2
from dlae.v1.datasets_pb2 import Dataset
from dlae.v1.models_pb2 import Model
from dlae_core.config import resolve_config
from dlae_server.access.guard import Caller, Guard
from dlae_server.access.options import root_settings
from dlae_server.access.projects import checked_project, key_of, name_of, parted
from dlae_server.access.tokens import TOKENS_FILE, create, read_grants
from dlae_server.datasets import arrival, receiving
from dlae_server.datasets.files import dataset_file, part_file
from dlae_server.datasets.receiving import Receiver
from dlae_server.datasets.references import Reference, parse_dataset
from dlae_server.datasets.roots import is_readable, path_violations
from dlae_server.errors import (
    DatasetNotFound,
    InvalidRequest,
    JobNotFound,
    ModelInUse,
    ModelNotFound,
    ProjectDenied,
    QuotaExceeded,
    RequestIdInUse,
)
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.states import Job, enter
from dlae_server.main import main
from dlae_server.models.signature import Signature
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE
from dlae_server.store.migrations import MIGRATIONS
from tests.dlae_server.access.projects import project_folder
from tests.dlae_server.datasets.uploads import InProcess, header, samples, sent, with_receiver
from tests.dlae_server.inside import serving

LIST = "/dlae.v1.TrainingService/ListJobs"


def model_of(bundle: str) -> Model:
    return Model(name="m", version=1, bundle=bundle)


@pytest.fixture
def looked_into_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked into in this process."""
    monkeypatch.setattr(arrival, "Arrival", InProcess)
    monkeypatch.setattr(receiving, "Arrival", InProcess)


def admitted(folder: Path, token: str, project: str | None = None) -> Caller:
    return Guard(folder).admit(LIST, f"Bearer {token}", project=project)


def test_a_token_holds_where_it_was_made_for_and_first_where_it_was_made_first(
    tmp_path: Path,
) -> None:
    token = create(tmp_path, "anna", "trainer", projects=("liver", "brain"))[1]
    assert admitted(tmp_path, token).project == "liver"
    assert admitted(tmp_path, token, "brain").project == "brain"
    for other in ("default", "spleen", "../liver", "Liver", "*"):
        with pytest.raises(ProjectDenied, match="expected a project of 'anna', liver, brain"):
            admitted(tmp_path, token, other)


def test_a_token_for_no_project_holds_in_default_and_one_for_all_everywhere(
    tmp_path: Path,
) -> None:
    assert admitted(tmp_path, create(tmp_path, "ben", "admin")[1]) == Caller("ben", "admin")
    everywhere = create(tmp_path, "root", "admin", projects=("*",))[1]
    assert admitted(tmp_path, everywhere).project == "default"
    assert admitted(tmp_path, everywhere, "liver").project == "liver"
    with pytest.raises(InvalidRequest, match="expected a project of 1 to 40"):
        admitted(tmp_path, everywhere, "a/b")
    with pytest.raises(InvalidRequest, match="expected a project"):
        create(tmp_path, "carl", "admin", projects=("a/b",))


def test_without_tokens_the_header_sorts_and_protects_nothing(tmp_path: Path) -> None:
    guard = Guard(tmp_path)
    assert guard.admit(LIST, None).project == "default"
    assert guard.admit(LIST, None, project="liver").project == "liver"
    with pytest.raises(InvalidRequest):
        guard.admit(LIST, None, project="L")


def test_tokens_of_before_there_were_projects_hold_in_default(tmp_path: Path) -> None:
    token = create(tmp_path, "anna", "trainer", projects=("liver",))[1]
    kept = json.loads((tmp_path / TOKENS_FILE).read_text())
    del kept["grants"][0]["projects"]
    (tmp_path / TOKENS_FILE).write_text(json.dumps(kept))
    assert admitted(tmp_path, token).project == "default"


def test_the_command_makes_tokens_for_projects_and_lists_them(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "token", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    run("create", "anna", "--scope", "trainer", "--project", "liver", "--project", "brain")
    assert "anna  in liver, brain" in run("list")
    assert json.loads(run("list", "--json"))["tokens"][0]["projects"] == ["liver", "brain"]
    assert read_grants(tmp_path)[0].projects == ("liver", "brain")


def test_no_name_of_a_caller_means_one_of_another_project() -> None:
    assert key_of("", "m") == key_of("default", "m") == "m"
    assert (key_of("liver", "m@2"), parted("liver/m@2")) == ("liver/m@2", ("liver", "m@2"))
    assert (name_of("liver/m"), parted("m")) == ("m", ("default", "m"))
    for text in ("", "a/b", "../x", "A", "-a", "a" * 41, "a b", "*"):
        with pytest.raises(InvalidRequest):
            checked_project(text)


def test_two_projects_have_versions_aliases_and_changes_of_one_name(tmp_path: Path) -> None:
    store, by = Store(tmp_path / STORE_FILE), Signature("anna", "")
    for number, project in enumerate(("liver", "brain", "liver", "")):
        model = model_of(f"b{number}")
        model.name, model.project = "tissue", project
        store.record_import(model, by)
    assert [store.model(key, None).version for key in ("liver/tissue", "brain/tissue")] == [2, 1]
    store.set_alias("liver/tissue", 1, "production", by)
    store.set_alias("liver/tissue", 2, "production", by)
    assert store.roll_back_alias("liver/tissue", "production", by).version == 1
    for key in ("brain/tissue", "tissue"):
        with pytest.raises(ModelNotFound, match="there is no model 'tissue@production'"):
            store.model(key, "production")
    with pytest.raises(ModelInUse, match="the alias tissue@production needs the model 'tissue@1'"):
        store.delete_model("liver/tissue", 1, False, by)
    shown = {one: store.models(9, "", "", one)[0] for one in ("liver", "brain", "default")}
    assert {one: [model.version for model in found] for one, found in shown.items()} == {
        **{"liver": [2, 1], "brain": [1], "default": [1]},
    }
    assert len(store.models(9, "")[0]) == 4
    assert [change.name for change in store.changes("brain/tissue", 9, "")[0]] == ["tissue"]
    first, token = store.models(1, "", "", "liver")
    assert [one.version for one in (*first, *store.models(9, token, "", "liver")[0])] == [2, 1]


def test_a_request_id_belongs_to_its_project(tmp_path: Path) -> None:
    store = Store(tmp_path / STORE_FILE)

    def add(job_id: str, project: str, request: str) -> Job:
        job = Job(id=job_id, name="m", project=project)
        job.options.request_id = "again"
        return store.add_job(job, "{}", enter(job, Job.STATE_QUEUED), request)

    assert add("a", "liver", "x").id == "a"
    assert add("b", "brain", "y").id == "b"
    assert add("c", "liver", "x").id == "a"
    with pytest.raises(RequestIdInUse):
        add("d", "brain", "x")
    assert store.job("a", "liver").id == "a"
    with pytest.raises(JobNotFound):
        store.job("a", "brain")
    found = [store.jobs(9, "", training_pb2.ListJobsRequest(), one)[0] for one in ("liver", "x")]
    assert [[job.id for job in jobs] for jobs in found] == [["a"], []]


@pytest.mark.usefixtures("looked_into_here")
def test_who_knows_the_hash_of_a_file_does_not_have_it(tmp_path: Path) -> None:
    content, announced = samples(), header(samples(), "ct")

    async def work(receiver: Receiver, journal: Journal) -> None:
        first = await sent(receiver, content, "ct", "liver")
        assert await receiver.begun(announced, "brain") == (0, None)
        second = await sent(receiver, content, "ct", "brain")
        assert (await receiver.begun(announced, "brain"))[0] == len(content)
        assert second.create_time.ToNanoseconds() > first.create_time.ToNanoseconds()
        assert [(one.name, one.version) for one in second.versions] == [("ct", 1)]

    with_receiver(tmp_path, work)
    store = Store(tmp_path / STORE_FILE)
    assert store.dataset_bytes("brain") == len(content)
    place = dataset_file(tmp_path, announced.sha256)
    # It stays as long as one of them has it.
    assert store.delete_dataset(Reference(sha256=announced.sha256), False, "liver")[1]
    assert store.has_dataset(announced.sha256)
    assert place.read_bytes() == content
    with pytest.raises(DatasetNotFound):
        store.dataset(parse_dataset("dataset:ct"), "liver")
    assert store.dataset(parse_dataset("dataset:ct"), "brain").sha256 == announced.sha256


@pytest.mark.usefixtures("looked_into_here")
def test_a_quota_and_what_has_come_of_an_upload_are_a_projects_own(tmp_path: Path) -> None:
    content = samples()

    async def work(receiver: Receiver, journal: Journal) -> None:
        part_file(tmp_path, header(content).sha256, "liver").write_bytes(content[:7])
        assert [(await receiver.begun(header(content), one))[0] for one in ("liver", "a")] == [7, 0]
        await sent(receiver, content, "", "brain")
        with pytest.raises(QuotaExceeded, match=f"than the {len(content)} that are kept"):
            await sent(receiver, samples(4), "", "brain")
        await sent(receiver, samples(4), "", "spleen")

    with_receiver(tmp_path, work, dataset_bytes=len(samples(4)) + 1000)


def test_folders_are_of_all_or_of_one_project_and_never_of_a_server(tmp_path: Path) -> None:
    for name in ("all", "liver=", "models"):
        (tmp_path / name).mkdir()
    found = root_settings([tmp_path / "all", Path(f"liver={tmp_path}/own"), Path("a/b=c")])
    assert found == {
        "data_roots": (tmp_path / "all", Path("a/b=c").absolute()),
        "project_roots": (("liver", tmp_path / "own"),),
    }
    file = tmp_path / "models" / "x.h5"
    file.write_bytes(b"x")
    facts = (str(file), 1, file.stat().st_mtime_ns)
    assert is_readable(*facts, [tmp_path])
    Store(tmp_path / STORE_FILE).close()
    assert not is_readable(*facts, [tmp_path])
    config = resolve_config(training_pb2.ConfigSource().config)
    config.paths.train_x = str(file)
    reasons = [one.reason for one in path_violations(config, [tmp_path])]
    assert "OUTSIDE_DATA_ROOTS" in reasons


def test_what_was_there_before_belongs_to_default(tmp_path: Path) -> None:
    path = tmp_path / STORE_FILE
    connection = sqlite3.connect(path)
    for number, script in enumerate(MIGRATIONS[:6], start=1):
        connection.executescript(f"{script} PRAGMA user_version = {number};")
    dataset = Dataset(sha256="a" * 64, size_bytes=5)
    job = Job(id="m-aaaa", name="m")
    connection.execute("INSERT INTO jobs (id, state, config, job) VALUES (?, 1, '{}', ?)",
                       (job.id, job.SerializeToString()))  # fmt: skip
    connection.execute(
        "INSERT INTO datasets (sha256, size_bytes, dataset) VALUES (?, 5, ?)",
        (dataset.sha256, dataset.SerializeToString()),
    )
    connection.execute("INSERT INTO dataset_names VALUES ('ct', 3)")
    connection.execute("INSERT INTO dataset_versions VALUES ('ct', 3, ?)", (dataset.sha256,))
    model = model_of("b")
    connection.execute("INSERT INTO model_names VALUES ('m', 1)")
    connection.execute("INSERT INTO models VALUES ('m', 1, 'b', NULL, ?)",
                       (model.SerializeToString(),))  # fmt: skip
    connection.commit()
    connection.close()
    store = Store(path)
    assert store.damage() == []
    assert store.job("m-aaaa", "default").id == "m-aaaa"
    found = store.dataset(parse_dataset("dataset:ct@3"))
    assert [(one.name, one.version) for one in found.versions] == [("ct", 3)]
    assert store.add_dataset(Dataset(sha256="b" * 64, size_bytes=1), "ct").versions[0].version == 4
    assert [one.project for one in store.models(9, "", "", "default")[0]] == ["default"]


def test_http_names_a_project_by_a_header(tmp_path: Path) -> None:
    folder = project_folder(tmp_path / "server")
    token = create(folder, "anna", "predictor", projects=("brain", "liver"))[1]
    with serving(folder, rest_address="127.0.0.1:0") as facts:

        def status(project: str) -> int:
            connection = http.client.HTTPConnection(facts["rest"], timeout=10)
            headers = {"Authorization": f"Bearer {token}", "dlae-project": project}
            connection.request("GET", "/v2/models/tissue", headers=headers)
            found = connection.getresponse().status
            connection.close()
            return found

        assert [status(one) for one in ("liver", "brain", "", "spleen")] == [200, 404, 404, 403]


def test_a_pin_of_a_project_is_for_its_callers_only(tmp_path: Path) -> None:
    folder = project_folder(tmp_path / "server")
    with (
        serving(folder, pinned=("liver/tissue",)) as facts,
        grpc.insecure_channel(facts["listen"]) as channel,
    ):
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelMetadata")

        def ask(project: str, name: bytes) -> bytes:
            # A protocol buffer of one text: the name in field 1.
            answer: bytes = call(
                bytes((10, len(name))) + name, metadata=(("dlae-project", project),)
            )
            return answer

        assert b"tissue" in ask("liver", b"tissue")
        for name in (b"tissue", b"liver/tissue"):
            with pytest.raises(grpc.RpcError, match=r"NOT_FOUND|INVALID_ARGUMENT"):
                ask("default", name)
