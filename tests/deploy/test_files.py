"""Files for containers, Kubernetes, systemd and Prometheus, held against the real server."""

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from dlae.v1.training_pb2 import Job
from dlae_server.jobs.kinds import KINDS
from dlae_server.main import main
from dlae_server.metrics import Metrics
from tests.deploy.files import (
    CLIENT,
    DEPLOY,
    SERVER,
    YAML,
    documents,
    named,
    server_arguments,
    within,
)

KUBERNETES = DEPLOY / "kubernetes"
RULES = documents(DEPLOY / "prometheus" / "alerts.yml")[0]["groups"][0]["rules"]
ALERTS = [rule["alert"] for rule in RULES]
# Of Prometheus itself.
FOREIGN = {"up": {"job"}}
SELECTOR = re.compile(r"\b([a-z][a-z0-9_]*)\s*\{([^}]*)\}")
LABEL = re.compile(r'(\w+)\s*(=~|=|!=)\s*"([^"]*)"')


def series() -> dict[str, set[str]]:
    """Returns every series that the page of a new server tells of, with its labels."""
    metrics = Metrics()
    page = generate_latest(metrics.registry).decode()
    collectors = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    collectors += [metrics.inference.queue, metrics.inference.batch_size]
    labels = {one._name: set(one._labelnames) for one in collectors}
    labels["dlae_inference_stage_seconds"] = {"stage"}
    found: dict[str, set[str]] = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        if not name.endswith("_created"):
            plain = name.removesuffix("_total").removesuffix("_info")
            for ending in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
                found[name + ending] = labels[plain]
    return found


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_every_file_is_yaml(path: Path) -> None:
    assert documents(path)


def test_every_option_that_a_file_uses_is_one_of_the_server() -> None:
    calls = list(server_arguments())
    assert len(calls) >= 6
    for place, arguments in calls:
        words = [word.partition("=")[0] for word in arguments]
        assert {word for word in words if word.startswith("-")} <= SERVER, place
        commands = [word for word in words[:1] if not word.startswith("-")]
        assert set(commands) <= set(main.commands), place


def test_every_variable_that_a_file_sets_is_an_option() -> None:
    known = {option.removeprefix("--").replace("-", "_").upper() for option in SERVER}
    texts = [(DEPLOY / name).read_text() for name in ("server.env", "Dockerfile")]
    found = re.findall(r"\bDLAE_([A-Z_]+)=", "\n".join(texts))
    assert found
    assert set(found) <= known


def test_every_metric_and_label_of_the_alerts_is_on_the_page() -> None:
    known = series() | FOREIGN
    assert "dlae_jobs" in known
    for rule in RULES:
        text = rule["expr"]
        used = set(re.findall(r"\b(?:dlae|grpc)_[a-z0-9_]*[a-z0-9]\b", LABEL.sub("", text)))
        used -= {"grpc_method", "grpc_code"}
        assert used <= set(known), rule["alert"]
        assert used or "up{" in text
        for name, labels in SELECTOR.findall(text):
            given = {label for label, _, _ in LABEL.findall(labels)}
            assert given <= known[name] | {"job"}, rule["alert"]
        grouped = set(re.split(r", *", ",".join(re.findall(r"by \(([^)]*)\)", text)))) - {""}
        allowed = {"le"}.union(*(known[name] for name in used if name in known))
        assert grouped <= allowed, rule["alert"]


def test_every_value_of_a_label_in_the_alerts_can_be() -> None:
    states = {name.removeprefix("STATE_") for name, _ in Job.State.items()}
    kinds = {row.task for row in KINDS.values()}
    allowed = {"state": states, "to": states, "kind": kinds, "job": {"dlae"}}
    for rule in RULES:
        for label, _, value in LABEL.findall(rule["expr"]):
            if label in allowed:
                assert set(value.split("|")) <= allowed[label], rule["alert"]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len(set(ALERTS)) == len(ALERTS)
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical")


def test_every_option_in_the_texts_is_real() -> None:
    # Of docker, kubectl, useradd and ray.
    others = {"--build", "--from-file", "--cert", "--key", "--rm", "--head", "--address"}
    others |= {"--system", "--home-dir", "--num-cpus", "--port"}
    texts = [DEPLOY / "README.md", DEPLOY / "prometheus" / "alerts.yml"]
    texts.append(DEPLOY.parent / "docs" / "growing.md")
    for path in texts:
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", path.read_text()))
        assert used <= SERVER | CLIENT | others, path.name


def test_pods_and_containers_have_no_more_rights_than_they_need() -> None:
    pods = [
        named(KUBERNETES / "server.yaml", "Deployment")["spec"]["template"]["spec"],
        named(KUBERNETES / "prediction.yaml", "Deployment")["spec"]["template"]["spec"],
        named(KUBERNETES / "kserve.yaml", "InferenceService")["spec"]["predictor"],
    ]
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in (*pod["initContainers"], *pod["containers"]):
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            mounted = {one["name"] for one in container["volumeMounts"]}
            assert mounted <= {one["name"] for one in pod["volumes"]}
    compose = documents(DEPLOY / "compose.yaml")[0]
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_the_pods_of_kserve_are_those_of_the_deployment() -> None:
    pod = named(KUBERNETES / "prediction.yaml", "Deployment")["spec"]["template"]["spec"]
    service = named(KUBERNETES / "kserve.yaml", "InferenceService")["spec"]["predictor"]
    server, door = pod["containers"]
    first, second = service["containers"]
    assert (second, first) == (server, {**door, "name": "kserve-container"})
    for key in set(pod) - {"containers"}:
        assert service[key] == pod[key]


def test_a_server_has_its_folder_for_itself_and_is_reached_by_tls_only() -> None:
    spec = named(KUBERNETES / "server.yaml", "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    for place, arguments in server_arguments():
        options = dict(word.partition("=")[::2] for word in arguments)
        if options.get("--listen", "").startswith("0.0.0.0"):
            assert options["--tls-certificate"], place
            assert options["--tls-key"], place


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    root = DEPLOY.parent
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        assert all((root / source).exists() for source in sources), line
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users == ["10001:10001"]
    pod = named(KUBERNETES / "server.yaml", "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert "/opt/dlae/healthy.py" in text
    probes = [one["exec"]["command"] for one in within(pod) if "exec" in one]
    assert probes == [["python", "/opt/dlae/healthy.py"]] * 3
