"""`dlae-client jobs`: what waits, runs and has run."""

import click

from dlae_client.cli.cancel import cancel
from dlae_client.cli.context import Session, command
from dlae_client.cli.jobs.changing import delete, pause, resume
from dlae_client.cli.jobs.fetch import fetch
from dlae_client.cli.jobs.listing import list_jobs, print_jobs
from dlae_client.cli.jobs.logs import logs
from dlae_client.cli.jobs.show import show
from dlae_client.cli.watch import watch


@click.group(invoke_without_command=True)
@command
def jobs(session: Session) -> None:
    """Lists, shows, pauses, cancels and deletes jobs; without a command it lists them."""
    if click.get_current_context().invoked_subcommand is None:
        print_jobs(session)


for one in (list_jobs, show, watch, logs, pause, resume, cancel, fetch, delete):
    jobs.add_command(one)
