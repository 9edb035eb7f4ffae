"""`dlae-client models delete`."""

import click

from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.models.aliases import WHY


@click.command(epilog=examples("models delete tissue@1 --why 'trained on wrong masks'"))
@click.argument("model", shell_complete=model_references)
@click.option(
    "--force", is_flag=True, help="Delete it although an alias means it or a job needs it."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@WHY
@command
def delete(session: Session, model: str, force: bool, yes: bool, why: str) -> None:
    """Deletes a version with its files. Nothing brings it back."""
    if not yes:
        click.confirm(f"delete {model}?", abort=True, err=True)
    with session.client() as client:
        found = client.delete_model(model, force, why)
    exact = f"{found.name}@{found.version}"
    session.print(f"deleted {exact}")
    session.document({"model": exact, "deleted": True})
