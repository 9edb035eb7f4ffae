"""`dlae-client context`: servers by name, with credentials and project. Needs no server."""

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.contexts.changing import add, remove, use
from dlae_client.cli.contexts.listing import list_contexts, print_contexts, show


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "context add clinic --server gpu.example.org:50051 --tls-ca ca.pem --token-file token",
        "context use clinic",
        "--context clinic jobs list",
    ),
)
@local_command
def context(session: Session) -> None:
    """Adds, lists, chooses and removes servers by name; without a command it lists them.

    Commands talk to the server of --context NAME, else of DLAE_CONTEXT, else of the one that `use`
    chose. What a context holds goes to its server only.
    """
    if click.get_current_context().invoked_subcommand is None:
        print_contexts(session)


for one in (add, list_contexts, use, show, remove):
    context.add_command(one)
