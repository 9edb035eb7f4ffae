"""`dlae-client models`."""

import click

from dlae.v1.models_pb2 import Model
from dlae_client.cli.context import Session, command
from dlae_client.cli.tables import metrics_line, moment, shape, table


@click.command()
@command
def models(session: Session) -> None:
    """Lists the trained models."""
    with session.client() as client:
        found = list(client.models())
    session.document({"models": [_values(model) for model in found]})
    head = ("model", "family", "input", "output", "weights", "created", "metrics")
    session.print(table(head, [_row(model) for model in found]) if found else "no models yet")


def _row(model: Model) -> tuple[str, ...]:
    return (
        f"{model.name}@{model.version}",
        model.family,
        shape(model.input_shape),
        shape(model.output_shape),
        f"{model.parameters:,}",
        moment(model.create_time),
        metrics_line(model.metrics, 4),
    )


def _values(model: Model) -> dict[str, object]:
    return {
        "model": f"{model.name}@{model.version}",
        "name": model.name,
        "version": model.version,
        "family": model.family,
        "input_shape": list(model.input_shape),
        "output_shape": list(model.output_shape),
        "classes": model.classes,
        "parameters": model.parameters,
        "job": model.job_id,
        "metrics": dict(sorted(model.metrics.items())),
    }
