"""`dlae-client models list`."""

import click

from dlae.v1.models_pb2 import Model
from dlae_client.cli.completion import model_names
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.filtering import EVERYTHING, Wanted, listing
from dlae_client.cli.tables import metrics_line, moment, shape, table


@click.command(
    "list",
    epilog=examples(
        "models list",
        "models list tissue --filter aliases=production",
        "models list --filter family=FCN --limit 20",
    ),
)
@click.argument("name", required=False, default="", shell_complete=model_names)
@listing
@command
def list_models(session: Session, name: str, wanted: Wanted) -> None:
    """Lists the trained models, or the versions of NAME, the newest first."""
    print_models(session, name, wanted)


def print_models(session: Session, name: str = "", wanted: Wanted = EVERYTHING) -> None:
    """Prints the models that are wanted, of all or of a name."""
    with session.client() as client:
        found = wanted.of(client.models(name), model_values, model_values(Model()))
    session.document({"models": [model_values(model) for model in found]})
    head = ["model", "family", "input", "output", "weights", "created", "metrics"]
    rows = [_row(model) for model in found]
    if any(model.aliases for model in found):
        head.insert(1, "aliases")
        for row, model in zip(rows, found, strict=True):
            row.insert(1, " ".join(model.aliases))
    session.print(table(head, rows) if found else f"no {wanted.called('models')}")


def _row(model: Model) -> list[str]:
    return [
        f"{model.name}@{model.version}",
        model.family,
        shape(model.input_shape),
        shape(model.output_shape),
        f"{model.parameters:,}",
        moment(model.create_time),
        metrics_line(model.metrics, 4),
    ]


def model_values(model: Model) -> dict[str, object]:
    """Returns a model as JSON values."""
    return {
        "model": f"{model.name}@{model.version}",
        "name": model.name,
        "version": model.version,
        "aliases": list(model.aliases),
        "project": model.project,
        "family": model.family,
        "input_shape": list(model.input_shape),
        "output_shape": list(model.output_shape),
        "classes": model.classes,
        "parameters": model.parameters,
        "created": model.create_time.ToJsonString(),
        "job": model.job_id,
        "parent": model.parent,
        "metrics": dict(sorted(model.metrics.items())),
    }
