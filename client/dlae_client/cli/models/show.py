"""`dlae-client models show`."""

import click

from dlae.v1.models_pb2 import Model, TrainingFile
from dlae_client.cli.completion import model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.models.listing import model_values
from dlae_client.cli.tables import metrics_line, moment, shape, size, table


@click.command(epilog=examples("models show tissue@production --json"))
@click.argument("model", shell_complete=model_references)
@command
def show(session: Session, model: str) -> None:
    """Shows what MODEL is, where it comes from and which files it has."""
    with session.client() as client:
        found = client.model(model)
    session.print("\n".join(f"{name:<11} {value}" for name, value in _facts(found) if value))
    rows = [(file.name, size(file.size_bytes), file.sha256) for file in found.files]
    session.print(table(("file", "size", "SHA-256"), rows))
    session.document({**model_values(found), **_lineage(found)})


def _facts(model: Model) -> list[tuple[str, str]]:
    return [
        ("model", f"{model.name}@{model.version}"),
        ("project", model.project),
        ("aliases", " ".join(model.aliases)),
        ("family", model.family),
        ("input", shape(model.input_shape)),
        ("output", shape(model.output_shape)),
        ("classes", str(model.classes or "")),
        ("weights", f"{model.parameters:,}"),
        ("created", moment(model.create_time)),
        ("job", model.job_id),
        ("began from", model.parent),
        ("seed", str(model.seed)),
        ("software", f"DLAE {model.dlae_version}, Keras {model.keras_version}"),
        ("metrics", metrics_line(model.metrics, 20)),
        *((role, f"{file.samples} samples, {file.sha256}") for role, file in _data(model)),
    ]


def _data(model: Model) -> list[tuple[str, TrainingFile]]:
    return [(role, model.data[role]) for role in sorted(model.data)]


def _lineage(model: Model) -> dict[str, object]:
    files = [
        {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
        for file in model.files
    ]
    data = {role: {"sha256": file.sha256, "samples": file.samples} for role, file in _data(model)}
    versions = {"dlae_version": model.dlae_version, "keras_version": model.keras_version}
    return {"seed": model.seed, **versions, "data": data, "files": files}
