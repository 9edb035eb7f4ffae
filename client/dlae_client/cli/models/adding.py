"""`dlae-client models import`."""

from pathlib import Path

import click

from dlae_client.cli.completion import model_names
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.models.aliases import WHY

FILE = click.Path(path_type=Path)


@click.command(
    "import",
    epilog=examples("models import old.h5 --config old.json --name tissue --why 'of DLAE 1.0'"),
)
@click.argument("file", type=FILE)
@click.option("--config", type=FILE, required=True, help="Configuration of its training.")
@click.option("--name", required=True, shell_complete=model_names, help="Name of the model.")
@WHY
@command
def import_model(session: Session, file: Path, config: Path, name: str, why: str) -> None:
    """Stores FILE (.keras, or .h5 of Keras 2 and DLAE 1.0) as the next version of a model.

    Images are prepared as the configuration says. No code in FILE is ever run.
    """
    with session.client() as client:
        found = client.import_model(file, config, name, why)
    exact = f"{found.model.name}@{found.model.version}"
    session.print(f"stored {exact}: {found.report}")
    session.document({"model": exact, "report": found.report})
