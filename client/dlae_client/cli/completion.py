"""Names that the shell completes, asked of the server; nothing where it does not answer."""

from itertools import islice
from typing import Any

import click
from click.shell_completion import CompletionItem

from dlae_client.cli.context import Session
from dlae_client.client import Client
from dlae_client.credentials import TLS_FILES, Credentials
from dlae_client.errors import ClientError
from dlae_core.config.references import JOB

MOST = 200
SECONDS = 2.0


def model_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns names of models that begin like this."""
    return _completed(context, begun, exact=False)


def model_references(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns references that begin like this: names, and versions and aliases of one name."""
    return _completed(context, begun, exact="@" in begun)


def dataset_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns names of data files that begin like this."""
    return _datasets(context, begun, "{name}")


def dataset_references(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns references to data files that begin like this."""
    return _datasets(context, begun, "dataset:{name}@{version}")


def job_ids(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns the latest jobs that begin like this."""
    try:
        with _client(context) as client:
            found = [job.id for job in islice(client.jobs(), MOST)]
    except ClientError:
        return []
    return [job_id for job_id in found if job_id.startswith(begun)]


def fetchable(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns what `fetch` takes that begins like this: references to models, and `job:ID`."""
    if not begun.startswith(JOB):
        return model_references(context, parameter, begun)
    return [f"{JOB}{name}" for name in job_ids(context, parameter, begun.removeprefix(JOB))]


def model_or_file(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Returns references to models for the first word of several, files for the others."""
    if context.params.get("predictions") or context.params.get(parameter.name or ""):
        return [CompletionItem(begun, type="file")]
    return [CompletionItem(name) for name in model_references(context, parameter, begun)]


def _datasets(context: click.Context, begun: str, form: str) -> list[str]:
    found: dict[str, None] = {}
    try:
        with _client(context) as client:
            newest = islice(client.datasets(), MOST)
            for one in (one for dataset in newest for one in dataset.versions):
                found[form.format(name=one.name, version=one.version)] = None
    except ClientError:
        return []
    return [name for name in found if name.startswith(begun)][:MOST]


def _completed(context: click.Context, begun: str, exact: bool) -> list[str]:
    found: dict[str, None] = {}
    try:
        with _client(context) as client:
            for model in client.models():
                parts = (str(model.version), *model.aliases) if exact else ()
                found |= dict.fromkeys(f"{model.name}@{part}" for part in parts)
                found |= {} if exact else {model.name: None}
    except ClientError:
        return []
    return [name for name in found if name.startswith(begun)][:MOST]


def _client(context: click.Context) -> Client:
    """Returns a client of the server that the words so far name, before the command or after it.

    Whoever presses a key waits for it: it asks for a moment only.
    """
    words: dict[str, Any] = {}
    step: click.Context | None = context
    while step is not None:
        words |= {name: value for name, value in step.params.items() if value and name not in words}
        step = step.parent
    credentials = Credentials(**{key: words[key] for key in ("tls", *TLS_FILES) if key in words})
    server, where, project = (str(words.get(key, "")) for key in ("server", "context", "project"))
    session = Session(server, where, project, credentials=credentials)
    session.token_file = words.get("token_file")
    return session.client(call_seconds=SECONDS)
