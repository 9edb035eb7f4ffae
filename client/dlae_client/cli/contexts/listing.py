"""`dlae-client context list` and `show`."""

import click

from dlae_client.cli.context import Session, context_names, examples, local_command
from dlae_client.cli.tables import table
from dlae_client.contexts import Context, current_context, read_contexts
from dlae_client.credentials import TLS_FILES
from dlae_client.errors import NotFound


@click.command("list", epilog=examples("context list"))
@local_command
def list_contexts(session: Session) -> None:
    """Lists the contexts; the current one is marked with a star."""
    print_contexts(session)


@click.command(epilog=examples("context show clinic"))
@click.argument("name", required=False, default="", shell_complete=context_names)
@local_command
def show(session: Session, name: str) -> None:
    """Shows the context NAME, by default the current one; of a token, that there is one."""
    found = read_contexts().named(name) if name else _current(session)
    session.print("\n".join(f"{key:<15} {value}" for key, value in _facts(found) if value))
    session.document(_values(found))


def print_contexts(session: Session) -> None:
    """Prints all contexts."""
    contexts, current = read_contexts(), current_context()
    marked = current.name if current else ""
    found = [contexts.all[name] for name in sorted(contexts.all)]
    session.document(
        {"contexts": [{**_values(one), "current": one.name == marked} for one in found]}
    )
    head = ("", "context", "server", "project", "TLS", "token")
    rows = [
        ("*" if one.name == marked else "", one.name, one.server, one.project, *_safety(one))
        for one in found
    ]
    nothing = "no contexts yet; `dlae-client context add NAME --server HOST:PORT` adds one"
    session.print(table(head, rows) if rows else nothing)
    if current and current.name not in contexts.all:
        session.say(f"note: DLAE_CONTEXT names the file {current.name}, which is used")


def _current(session: Session) -> Context:
    found = read_contexts().named(session.context) if session.context else current_context()
    if found is None:
        message = "no context is current; `dlae-client context use NAME` chooses one"
        raise NotFound(message, "CONTEXT_NOT_FOUND")
    return found


def _safety(context: Context) -> tuple[str, str]:
    credentials = context.credentials
    return "yes" if credentials.secure else "no", "yes" if credentials.token else "no"


def _facts(context: Context) -> list[tuple[str, object]]:
    tls, token = _safety(context)
    return [
        ("context", context.name),
        ("server", context.server),
        ("project", context.project),
        ("TLS", tls),
        *((name, getattr(context.credentials, name)) for name in TLS_FILES),
        ("token", token),
    ]


def _values(context: Context) -> dict[str, object]:
    files = {name: getattr(context.credentials, name) for name in TLS_FILES}
    return {
        "context": context.name,
        "server": context.server,
        "project": context.project,
        "tls": context.credentials.secure,
        "has_token": bool(context.credentials.token),
        **{name: str(path) if path else None for name, path in files.items()},
    }
