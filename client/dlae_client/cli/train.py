"""`dlae-client train`."""

from pathlib import Path

import click

from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.following import (
    finish_training,
    follow,
    job_document,
    show_submitted,
)
from dlae_client.cli.job_options import Submission, submitting
from dlae_client.cli.placing import NO_UPLOAD, placed
from dlae_client.cli.saving import save_settings
from dlae_client.configuration import model_name


@click.command(
    epilog=examples(
        "train config.json --name tissue",
        "train config.json --priority 5 --label study=7 --time-limit 12h --detach",
    )
)
@click.argument("config", type=click.Path(path_type=Path))
@NO_UPLOAD
@submitting
@command
def train(session: Session, config: Path, how: Submission, no_upload: bool) -> None:
    """Trains CONFIG on the server and shows its progress.

    Data files that the server cannot read where they lie are uploaded, unless it has them. Ctrl-C
    stops watching, not training.
    """
    with session.client() as client:
        name = model_name(config) if how.name is None else how.name
        source = placed(session, client, config, no_upload)
        answer = client.submit(source, name, how.options)
        settings = save_settings(config)
        show_submitted(session, answer.job, answer.warnings)
        if how.detach:
            session.print(answer.job.id)
            session.document(job_document(answer.job))
            return
        job = follow(session, client, answer.job.id)
        finish_training(session, client, settings, job)
