"""`dlae-client models`: what was trained, and what became of it."""

import click

from dlae_client.cli.context import Session, command
from dlae_client.cli.fetch import fetch
from dlae_client.cli.models.adding import import_model
from dlae_client.cli.models.aliases import alias, history, rollback, unalias
from dlae_client.cli.models.card import card
from dlae_client.cli.models.compare import compare
from dlae_client.cli.models.delete import delete
from dlae_client.cli.models.export import export
from dlae_client.cli.models.listing import list_models, print_models
from dlae_client.cli.models.show import show


@click.group(invoke_without_command=True)
@command
def models(session: Session) -> None:
    """Lists, names, compares and removes trained models; without a command it lists them.

    MODEL is name (its newest version), name@version or name@alias.
    """
    if click.get_current_context().invoked_subcommand is None:
        print_models(session)


for one in (
    list_models,
    show,
    alias,
    unalias,
    rollback,
    history,
    compare,
    card,
    fetch,
    export,
    import_model,
    delete,
):
    models.add_command(one)
