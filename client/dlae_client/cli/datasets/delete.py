"""`dlae-client datasets delete`."""

import click

from dlae_client.cli.completion import dataset_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.datasets.listing import dataset_values


@click.command(
    epilog=examples("datasets delete dataset:ct@3", "datasets delete sha256:0123... --yes")
)
@click.argument("dataset", shell_complete=dataset_references)
@click.option("--force", is_flag=True, help="Delete it although a model was trained with it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def delete(session: Session, dataset: str, force: bool, yes: bool) -> None:
    """Deletes a version of a name, and the file with its last name; sha256:HEX with all names.

    What a job needs that has not ended is not deleted. Nothing brings it back.
    """
    if not yes:
        click.confirm(f"delete {dataset}?", abort=True, err=True)
    with session.client() as client:
        done = client.delete_dataset(dataset, force)
    rest = "" if done.file_deleted else "; the file has other names and stays"
    session.print(f"deleted {dataset}{rest}")
    session.document({**dataset_values(done.dataset), "file_deleted": done.file_deleted})
