"""`dlae-client models export`."""

from pathlib import Path

import click

from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.errors import InvalidRequest

ELSEWHERE = (
    "a SavedModel is made where Keras is: run `dlae-server --data-dir FOLDER export "
    "{model} -o {output}` on the server, or export as 'keras' and call "
    "`keras.models.load_model(FILE).export(FOLDER)`"
)


@click.command(epilog=examples("models export tissue --format onnx -o tissue.onnx"))
@click.argument("model", shell_complete=model_references)
@click.option(
    "--format",
    "form",
    type=click.Choice(["keras", "onnx", "savedmodel"]),
    default="keras",
    show_default=True,
    help="What other program is to run it.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@command
def export(session: Session, model: str, form: str, output: Path, overwrite: bool) -> None:
    """Copies the network of MODEL here, for programs other than DLAE.

    It takes images prepared as the model card says.
    """
    if form == "savedmodel":
        raise InvalidRequest(ELSEWHERE.format(model=model, output=output), "EXPORTED_ELSEWHERE")
    with session.client() as client:
        path = client.export(model, form, output, overwrite)
    session.print(f"wrote {path}")
    session.document({"model": model, "format": form, "path": str(path)})
