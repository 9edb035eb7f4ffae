"""`dlae-client train`."""

import json
from pathlib import Path
from typing import Any

import click

from dlae_client.cli.context import Session, command
from dlae_client.cli.following import follow, job_document
from dlae_client.cli.tables import metrics_line
from dlae_client.client import Client
from dlae_client.configuration import read_text

# Switch, path, file of the bundle and the extension that it needs.
SAVED = (
    ("save_model_switch", "save_model_path", "model.keras", ".keras"),
    ("save_csv_switch", "save_csv_path", "history.csv", ""),
)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the model.  [default: the file's name]")
@click.option("--detach", is_flag=True, help="Return as soon as the job is recorded.")
@command
def train(session: Session, config: Path, name: str | None, detach: bool) -> None:
    """Trains CONFIG on the server and shows its progress.

    Ctrl-C stops watching, not training.
    """
    with session.client() as client:
        answer = client.submit(config, name)
        settings = _save_settings(config)
        for warning in answer.warnings:
            session.say(f"warning: {warning.path}: {warning.message}")
        session.say(f"job {answer.job.id}")
        if detach:
            session.print(answer.job.id)
            session.document(job_document(answer.job))
            return
        job = follow(session, client, answer.job.id)
        session.say(f"model {job.model}  {metrics_line(job.metrics)}")
        _save(session, client, settings, job.model)
    session.print(job.model)
    session.document(job_document(job))


def _save(session: Session, client: Client, settings: dict[str, Any], model: str) -> None:
    """Fetches what the configuration wants saved, to this side."""
    for switch, key, file, extension in SAVED:
        text = str(settings.get(key, "")).strip()
        if str(settings.get(switch)).strip().lower() != "true" or not text:
            continue
        path = Path(text).expanduser()
        if extension and path.suffix != extension:
            session.say(f"note: models are saved as {extension}, not as {path.suffix or 'folders'}")
            path = path.with_suffix(extension)
        client.fetch(model, path, file, overwrite=True)
        session.say(f"wrote {path}")


def _save_settings(config: Path) -> dict[str, Any]:
    """Returns the section `save_configurations` of a file that the server has accepted."""
    sections = json.loads(read_text(config.expanduser()))
    found = sections.get("save_configurations")
    return found if isinstance(found, dict) else {}
