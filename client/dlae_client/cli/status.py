"""`dlae-client status`."""

import click

from dlae_client.cli.completion import job_ids
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.jobs.listing import print_jobs
from dlae_client.cli.jobs.show import print_job


@click.command(epilog=examples("status", "status tissue-0c1d --json"))
@click.argument("job", shell_complete=job_ids, required=False)
@command
def status(session: Session, job: str | None) -> None:
    """Shows JOB, or all jobs."""
    if job:
        print_job(session, job)
    else:
        print_jobs(session)
