"""`dlae-client run`."""

from pathlib import Path

import click

from dlae.v1.training_pb2 import Job
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
from dlae_client.client import Client
from dlae_client.configuration import is_inference, model_name, read_text
from dlae_client.errors import LocalFileError

PREDICTIONS, LEGACY = "predictions.h5", "legacy_predictions_switch"


@click.command(
    epilog=examples("run inference.json -o predictions.h5", "run training.json --detach")
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File or folder for predictions.  [default: the folder of CONFIG]",
)
@click.option("--overwrite", is_flag=True, help="Replace predictions that are there.")
@NO_UPLOAD
@submitting
@command
def run(
    session: Session,
    config: Path,
    how: Submission,
    no_upload: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Does what the type_signal of CONFIG says, on the server, and shows its progress.

    It trains, as `train` does; or it predicts test_X with load_model and fetches the file of the
    predictions. Ctrl-C stops watching, not the job.
    """
    target = _target(config.expanduser(), output, overwrite or how.detach)
    with session.client() as client:
        name = model_name(config) if how.name is None else how.name
        answer = client.run(placed(session, client, config, no_upload), name, how.options)
        settings = save_settings(config)
        show_submitted(session, answer.job, answer.warnings)
        if how.detach:
            session.print(answer.job.id)
            session.document(job_document(answer.job))
            return
        job = follow(session, client, answer.job.id)
        if job.kind == Job.KIND_INFERENCE:
            _fetch(session, client, job, target, overwrite)
        else:
            finish_training(session, client, settings, job)


def _target(config: Path, output: Path | None, overwrite: bool) -> Path:
    """Returns where predictions go; that is looked at before they are made.

    Raises:
        UsageError: A place for predictions, and a session that makes none.
        LocalFileError: The file is there already.
    """
    if not is_inference(read_text(config)):
        if output is not None:
            raise click.UsageError(
                "expected an inference session to write to -o; `dlae-client fetch` copies a model"
            )
        return config.parent
    target = config.absolute().parent if output is None else output.expanduser()
    stamped = str(save_settings(config).get(LEGACY)).strip().lower() == "true"
    file = target / PREDICTIONS if target.is_dir() else target
    # DLAE 1.0's names hold the time: none is there before.
    if file.exists() and not overwrite and not (stamped and target.is_dir()):
        raise LocalFileError(f"{file} exists already; choose another name or use --overwrite")
    return target


def _fetch(session: Session, client: Client, job: Job, target: Path, overwrite: bool) -> None:
    path = client.fetch_result(job.id, target, overwrite)
    session.say(f"wrote {path}")
    session.print(str(path))
    session.document({**job_document(job), "path": str(path)})
