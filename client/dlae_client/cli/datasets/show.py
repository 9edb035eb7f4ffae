"""`dlae-client datasets show`."""

import click

from dlae.v1.datasets_pb2 import GetDatasetResponse
from dlae_client.cli.completion import dataset_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.datasets.listing import dataset_values, kind_name, names_of
from dlae_client.cli.tables import moment, shape, size, table


@click.command(epilog=examples("datasets show dataset:ct"))
@click.argument("dataset", shell_complete=dataset_references)
@command
def show(session: Session, dataset: str) -> None:
    """Shows what DATASET is, and which jobs and models need it."""
    with session.client() as client:
        found = client.dataset(dataset)
    session.print("\n".join(f"{name:<9} {value}" for name, value in _facts(found) if value))
    forms = [
        (shape(form.shape) or "number", form.dtype, str(form.samples))
        for form in found.dataset.forms
    ]
    if forms:
        session.print(table(("form", "type", "samples"), forms))
    session.document({**dataset_values(found.dataset), "users": list(found.users)})


def _facts(found: GetDatasetResponse) -> list[tuple[str, str]]:
    dataset = found.dataset
    return [
        ("SHA-256", dataset.sha256),
        ("names", " ".join(names_of(dataset))),
        ("kind", kind_name(dataset)),
        ("samples", str(dataset.samples)),
        ("size", size(dataset.size_bytes)),
        ("created", moment(dataset.create_time)),
        ("needed by", ", ".join(found.users)),
    ]
