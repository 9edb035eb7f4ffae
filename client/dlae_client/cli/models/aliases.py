"""`dlae-client models alias`, `unalias`, `rollback` and `history`."""

import click

from dlae.v1.models_pb2 import Model, ModelChange
from dlae_client.cli.completion import model_names, model_references
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.tables import moment, table

WHY = click.option("--why", default="", metavar="TEXT", help="Reason, kept in the history.")


@click.command(epilog=examples("models alias tissue@3 production --why 'better on study 7'"))
@click.argument("model", shell_complete=model_references)
@click.argument("name", metavar="ALIAS")
@WHY
@command
def alias(session: Session, model: str, name: str, why: str) -> None:
    """Has ALIAS mean MODEL from now on: `models alias tissue@3 production`."""
    with session.client() as client:
        found = client.set_alias(model, name, why)
    _tell(session, f"{found.name}@{name}", "is", found)


@click.command(epilog=examples("models unalias tissue@production"))
@click.argument("name", metavar="NAME@ALIAS", shell_complete=model_references)
@WHY
@command
def unalias(session: Session, name: str, why: str) -> None:
    """Removes an alias; the version that it means stays."""
    with session.client() as client:
        found = client.remove_alias(name, why)
    _tell(session, name, "was", found)


@click.command(epilog=examples("models rollback tissue@production --why 'misses small lesions'"))
@click.argument("name", metavar="NAME@ALIAS", shell_complete=model_references)
@WHY
@command
def rollback(session: Session, name: str, why: str) -> None:
    """Has an alias mean again what it meant before; once more, what it meant before that."""
    with session.client() as client:
        found = client.roll_back_alias(name, why)
    _tell(session, name, "is", found)


@click.command(epilog=examples("models history tissue"))
@click.argument("name", shell_complete=model_names)
@command
def history(session: Session, name: str) -> None:
    """Shows what happened to the versions and aliases of NAME: when, by whom and why."""
    with session.client() as client:
        changes = list(client.model_changes(name))
    session.document({"name": name, "changes": [_values(change) for change in changes]})
    head = ("when", "who", "what", "why")
    rows = [(moment(one.time), one.who, _sentence(one), one.why) for one in changes]
    session.print(table(head, rows) if rows else f"nothing has happened to {name}")


def _tell(session: Session, name: str, verb: str, model: Model) -> None:
    exact = f"{model.name}@{model.version}"
    session.print(f"{name} {verb} {exact}")
    session.document({"alias": name, "model": exact, "aliases": list(model.aliases)})


def _kind(change: ModelChange) -> str:
    return ModelChange.Kind.Name(change.kind).removeprefix("KIND_")


def _sentence(change: ModelChange) -> str:
    version, before = f"{change.name}@{change.version}", f"{change.name}@{change.previous_version}"
    was = f", was {before}" if change.previous_version else ""
    sentences = {
        "STORED": f"{version} stored",
        "ALIAS_SET": f"{change.alias} is {version}{was}",
        "ALIAS_ROLLED_BACK": f"{change.alias} is {version} again{was}",
        "ALIAS_REMOVED": f"{change.alias} removed{was}",
        "DELETED": f"{version} deleted",
    }
    return sentences.get(_kind(change), _kind(change))


def _values(change: ModelChange) -> dict[str, object]:
    return {
        "number": change.number,
        "time": change.time.ToJsonString(),
        "kind": _kind(change),
        "version": change.version,
        "alias": change.alias,
        "previous_version": change.previous_version,
        "who": change.who,
        "why": change.why,
    }
