"""`dlae-client datasets list`."""

import click

from dlae.v1.datasets_pb2 import Dataset
from dlae_client.cli.completion import dataset_names
from dlae_client.cli.context import Session, command
from dlae_client.cli.tables import moment, shape, size, table

SHOWN_DIGITS = 12


@click.command("list")
@click.argument("name", required=False, default="", shell_complete=dataset_names)
@command
def list_datasets(session: Session, name: str) -> None:
    """Lists the data files, or the versions of NAME, the latest first."""
    print_datasets(session, name)


def print_datasets(session: Session, name: str) -> None:
    """Prints the data files, or those of a name."""
    with session.client() as client:
        found = list(client.datasets(name))
        page = client.datasets_page()
    kept, limit = page.total_bytes, page.limit_bytes
    session.document(
        {
            "datasets": [dataset_values(dataset) for dataset in found],
            "total_bytes": kept,
            "limit_bytes": limit or None,
        }
    )
    head = ("names", "kind", "samples", "form", "size", "created", "SHA-256")
    session.print(table(head, [_row(dataset) for dataset in found]) if found else "no data yet")
    if limit:
        session.print(f"{size(kept)} of {size(limit)} are in use")


def names_of(dataset: Dataset) -> list[str]:
    """Returns the names of a data file: `ct@3`."""
    return [f"{one.name}@{one.version}" for one in dataset.versions]


def kind_name(dataset: Dataset) -> str:
    """Returns the kind of a data file: `samples`."""
    return Dataset.Kind.Name(dataset.kind).removeprefix("KIND_").lower()


def dataset_values(dataset: Dataset) -> dict[str, object]:
    """Returns a data file as JSON values."""
    return {
        "sha256": dataset.sha256,
        "names": names_of(dataset),
        "kind": kind_name(dataset),
        "samples": dataset.samples,
        "size_bytes": dataset.size_bytes,
        "created": dataset.create_time.ToJsonString(),
        "forms": [
            {"shape": list(form.shape), "dtype": form.dtype, "samples": form.samples}
            for form in dataset.forms
        ],
    }


def _row(dataset: Dataset) -> tuple[str, ...]:
    forms = [f"{shape(form.shape) or 'number'} {form.dtype}" for form in dataset.forms[:2]]
    return (
        " ".join(names_of(dataset)),
        kind_name(dataset),
        str(dataset.samples),
        f"{forms[0]}, ..." if len(forms) > 1 else "".join(forms),
        size(dataset.size_bytes),
        moment(dataset.create_time),
        dataset.sha256[:SHOWN_DIGITS],
    )
