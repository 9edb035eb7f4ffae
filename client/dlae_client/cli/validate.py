"""`dlae-client validate`."""

import sys
from pathlib import Path

import click

from dlae.v1.training_pb2 import GraphSummary
from dlae_client.cli.context import Session, command, violation_rows
from dlae_client.cli.tables import shape, table


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@command
def validate(session: Session, config: Path) -> None:
    """Checks CONFIG, its data files and its graph, without training.

    Exits with 3 where there is a mistake; all are printed.
    """
    with session.client() as client:
        answer = client.validate(config)
    for warning in answer.warnings:
        session.say(f"warning: {warning.path}: {warning.message}")
    for violation in answer.violations:
        session.say(f"{violation.path or config.name}: {violation.message}")
    for graph in answer.graphs:
        session.print(_layers(graph))
    session.document(
        {
            "valid": answer.valid,
            "violations": violation_rows(answer.violations),
            "warnings": violation_rows(answer.warnings),
            "graphs": [_graph(graph) for graph in answer.graphs],
        }
    )
    if answer.valid:
        session.print("the configuration is valid")
    else:
        sys.exit(3)


def _layers(graph: GraphSummary) -> str:
    head = ("item", "layer", "output", "weights")
    rows = [
        (str(layer.item), layer.type, shape(layer.output_shape), f"{layer.parameters:,}")
        for layer in graph.layers
    ]
    total = f"{graph.parameters:,} weights, {graph.trainable_parameters:,} of them trainable"
    return f"{table(head, rows)}\n{total}"


def _graph(graph: GraphSummary) -> dict[str, object]:
    return {
        "name": graph.name,
        "output_shape": list(graph.output_shape),
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "layers": [
            {
                "item": layer.item,
                "type": layer.type,
                "output_shape": list(layer.output_shape),
                "parameters": layer.parameters,
            }
            for layer in graph.layers
        ],
    }
