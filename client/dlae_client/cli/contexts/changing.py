"""`dlae-client context add`, `use` and `remove`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dlae_client.cli.context import SERVER, Session, context_names, examples, local_command
from dlae_client.contexts import Context, checked_name, read_contexts, write_contexts
from dlae_client.credentials import TLS_FILES, Credentials, checked_token, read_token
from dlae_client.errors import InvalidRequest
from dlae_client.targets import checked_project

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "context add desk --server 127.0.0.1:50051",
        "context add clinic --server gpu.example.org:50051 --tls-ca ca.pem --token-file token",
    )
)
@click.argument("name")
@SERVER
@click.option("--project", default="", metavar="NAME", help="Project that is meant there.")
@click.option("--token-file", type=FILE, help="File of the token, which is copied.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option("--tls", is_flag=True, help="Use TLS; any of the next three means it too.")
@click.option("--tls-ca", type=FILE, help="Who signs the server's certificate, in PEM.")
@click.option("--tls-certificate", type=FILE, help="Certificate of this client.")
@click.option("--tls-key", type=FILE, help="Its private key.")
@click.option("--use", "is_used", is_flag=True, help="Make it the current one, as the first is.")
@click.option("--force", is_flag=True, help="Replace the context that has this name.")
@local_command
def add(session: Session, name: str, server: str | None, **options: Any) -> None:
    """Keeps a server under NAME, with what is used there.

    There is no option for the token itself: other users of a machine see command lines.
    """
    contexts = read_contexts()
    if checked_name(name) in contexts.all and not options["force"]:
        raise InvalidRequest(
            f"there is a context '{name}' already; use --force, or another name", "CONTEXT_EXISTS"
        )
    server = server or session.server
    if not server:
        raise click.UsageError("expected --server HOST:PORT")
    credentials = _credentials(options)
    # Refused here, it cannot be kept where it could never be used.
    credentials.require_safe(server)
    found = Context(name, server, checked_project(options["project"]), credentials)
    contexts = contexts.with_context(found)
    if options["is_used"]:
        contexts = contexts.used(name)
    write_contexts(contexts)
    is_current = contexts.current == name
    session.print(f"added {name}, {server}{', which is current' if is_current else ''}")
    session.document({"context": name, "server": server, "current": is_current})


@click.command(epilog=examples("context use clinic"))
@click.argument("name", shell_complete=context_names)
@local_command
def use(session: Session, name: str) -> None:
    """Makes NAME the current context: that of commands which name none."""
    contexts = read_contexts().used(name)
    write_contexts(contexts)
    session.print(f"current is {name}, {contexts.all[name].server}")
    session.document({"context": name, "server": contexts.all[name].server, "current": True})


@click.command(epilog=examples("context remove clinic"))
@click.argument("name", shell_complete=context_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@local_command
def remove(session: Session, name: str, yes: bool) -> None:
    """Forgets NAME and its token. What it meant on the server stays."""
    contexts = read_contexts()
    rest = contexts.without(name)
    if not yes:
        click.confirm(f"remove {name}?", abort=True, err=True)
    write_contexts(rest)
    session.print(f"removed {name}")
    if contexts.current == name and rest.all:
        session.say("note: no context is current now; `dlae-client context use NAME` chooses one")
    session.document({"context": name, "removed": True})


def _credentials(options: Mapping[str, Any]) -> Credentials:
    if options["token_file"] and options["token_stdin"]:
        raise click.UsageError("expected --token-file or --token-stdin, got both")
    token = ""
    if options["token_file"]:
        token = read_token(options["token_file"])
    elif options["token_stdin"]:
        token = checked_token(sys.stdin.read(), "standard input")
    # A context is used from any folder.
    files = {name: options[name].expanduser().absolute() for name in TLS_FILES if options[name]}
    return Credentials(token, options["tls"], **files)
