"""`dlae-client models card`."""

import json
from pathlib import Path

import click

from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.writing import write_text


@click.command(
    epilog=examples(
        "models card tissue -o tissue.md", "models card tissue@3 --format monai -o metadata.json"
    )
)
@click.argument("model", shell_complete=model_references)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "monai"]),
    default="markdown",
    show_default=True,
    help="For people, for programs, or as the metadata.json of MONAI bundles.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@command
def card(session: Session, model: str, form: str, output: Path | None, force: bool) -> None:
    """Describes MODEL: task, data, settings, metrics, engines and limitations."""
    with session.client() as client:
        found = client.model_card(model)
    texts = {
        "markdown": found.markdown,
        "json": _indented(found.json),
        "monai": _indented(found.monai_metadata),
    }
    if output:
        write_text(output, texts[form], force)
        session.print(f"wrote {output}")
        session.document({"model": model, "path": str(output)})
        return
    session.print(texts[form].rstrip())
    session.document(json.loads(found.monai_metadata if form == "monai" else found.json))


def _indented(text: str) -> str:
    return json.dumps(json.loads(text), indent=1) + "\n"
