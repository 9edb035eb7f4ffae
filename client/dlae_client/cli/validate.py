"""`dlae-client validate`."""

import sys
from pathlib import Path

import click

from dlae.v1.training_pb2 import GraphSummary, ValidateResponse
from dlae_client.cli.context import Session, command, examples, violation_rows
from dlae_client.cli.placing import NO_UPLOAD, placed
from dlae_client.cli.tables import duration, shape, short_time, size, table
from dlae_client.graph_drawing import SUFFIXES, check_drawable, draw


def _drawing(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path and path.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"expected a file ending in {' or '.join(SUFFIXES)}, got {path}")
    return path


@click.command(
    epilog=examples(
        "validate config.json --plot network.png", "validate config.json --offline --json"
    )
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Check what needs neither server nor networks.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_drawing,
    help="Draw the networks into this .png or .svg.",
)
@NO_UPLOAD
@command
def validate(
    session: Session, config: Path, offline: bool, plot: Path | None, no_upload: bool
) -> None:
    """Checks CONFIG, its data files and its networks, without training.

    Shows every layer, and estimates memory and time of training on the server. Exits with 3 where
    there is a mistake; all are printed.
    """
    if plot:
        if offline:
            raise click.UsageError("--plot shows what the server builds; leave out --offline")
        check_drawable()
    answer = _answer(session, config, offline, no_upload)
    for warning in answer.warnings:
        session.say(f"warning: {warning.path}: {warning.message}")
    for violation in answer.violations:
        session.say(f"{violation.path or config.name}: {violation.message}")
    if not session.as_json:
        _print_networks(answer, config)
    if plot:
        _draw(session, answer, config, plot)
    session.document(_document(answer))
    if not answer.valid:
        sys.exit(3)
    session.print("the configuration is valid")


def _answer(session: Session, config: Path, offline: bool, no_upload: bool) -> ValidateResponse:
    if offline:
        from dlae_client.offline import check_offline  # noqa: PLC0415 - needs h5py

        return check_offline(config)
    with session.client() as client:
        return client.validate(placed(session, client, config, no_upload))


def _print_networks(answer: ValidateResponse, config: Path) -> None:
    for graph in answer.graphs:
        click.echo(_layers(graph, named=len(answer.graphs) > 1))
    if answer.memory_bytes:
        click.echo("\n".join(_cost_lines(answer, config)))


def _layers(graph: GraphSummary, named: bool) -> str:
    head = ("item", "layer", "output", "weights")
    rows = [
        (str(layer.item), layer.type, shape(layer.output_shape), f"{layer.parameters:,}")
        for layer in graph.layers
    ]
    total = f"{graph.parameters:,} weights, {graph.trainable_parameters:,} of them trainable"
    title = f"{graph.name}\n" if named else ""
    return f"{title}{table(head, rows)}\n{total}\n"


def _cost_lines(answer: ValidateResponse, config: Path) -> list[str]:
    """Returns the estimates; that of an epoch where the data are on this machine."""
    from dlae_client.offline import steps_per_epoch  # noqa: PLC0415 - needs h5py

    lines = [f"memory  about {size(answer.memory_bytes)} at the peak of training"]
    if answer.seconds_per_step:
        time = f"time    about {short_time(answer.seconds_per_step)} a step"
        steps = steps_per_epoch(config)
        if steps:
            whole = duration(steps * answer.seconds_per_step)
            time += f", {whole} an epoch of {steps} step{'' if steps == 1 else 's'}"
        lines.append(time)
    return lines


def _draw(session: Session, answer: ValidateResponse, config: Path, path: Path) -> None:
    if not answer.graphs:
        session.say(f"note: there is no network to draw, {path} was not written")
        return
    facts = [f"{sum(graph.parameters for graph in answer.graphs):,} weights"]
    if answer.memory_bytes:
        facts.append(size(answer.memory_bytes))
    if answer.seconds_per_step:
        facts.append(f"{short_time(answer.seconds_per_step)} a step")
    draw(answer.graphs, f"{config.stem}: {', '.join(facts)}", path)
    session.say(f"wrote {path}")


def _document(answer: ValidateResponse) -> dict[str, object]:
    return {
        "valid": answer.valid,
        "violations": violation_rows(answer.violations),
        "warnings": violation_rows(answer.warnings),
        "graphs": [_graph(graph) for graph in answer.graphs],
        "memory_bytes": answer.memory_bytes,
        "seconds_per_step": answer.seconds_per_step,
    }


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
