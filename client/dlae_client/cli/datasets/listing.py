"""`dlae-client datasets list`."""

import click

from dlae.v1.datasets_pb2 import Dataset
from dlae_client.cli.completion import dataset_names
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.filtering import EVERYTHING, Wanted, listing
from dlae_client.cli.tables import moment, shape, size, table

SHOWN_DIGITS = 12


@click.command("list", epilog=examples("datasets list", "datasets list ct --filter 'samples>=100'"))
@click.argument("name", required=False, default="", shell_complete=dataset_names)
@listing
@command
def list_datasets(session: Session, name: str, wanted: Wanted) -> None:
    """Lists the data files, or the versions of NAME, the latest first."""
    print_datasets(session, name, wanted)


def print_datasets(session: Session, name: str = "", wanted: Wanted = EVERYTHING) -> None:
    """Prints the data files that are wanted, of all or of a name."""
    with session.client() as client:
        found = wanted.of(client.datasets(name), dataset_values, dataset_values(Dataset()))
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
    rows = [_row(dataset) for dataset in found]
    session.print(table(head, rows) if rows else f"no {wanted.called('data files')}")
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
