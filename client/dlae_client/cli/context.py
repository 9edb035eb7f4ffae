"""What every command shares: the server, the form of the output, and how errors end."""

import functools
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from dlae_client.channel import CALL_SECONDS
from dlae_client.client import Client
from dlae_client.contexts import read_contexts
from dlae_client.credentials import Credentials, read_token
from dlae_client.errors import ClientError, InvalidConfiguration
from dlae_client.targets import find_target

Command = Callable[..., None]


def context_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Returns names of contexts that begin like this, for the shell; nothing where none is read."""
    try:
        return [name for name in read_contexts().all if name.startswith(begun)]
    except ClientError:
        return []


SERVER = click.option("--server", metavar="HOST:PORT", help="Server to talk to.")
CONTEXT = click.option(
    "--context",
    metavar="NAME",
    shell_complete=context_names,
    help="Context whose server is meant: see `dlae-client context`.",
)
PROJECT = click.option("--project", metavar="NAME", help="Project that is meant.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@dataclass
class Session:
    """The global options.

    Attributes:
        server: `host:port`; empty: what environment or context say, else this machine.
        context: Name of the context whose server is meant; empty: the current one.
        project: Project that is meant; empty: what environment or context say.
        as_json: Whether one JSON document goes to standard output and nothing else.
        debug: Whether errors show their traceback.
        names: What the server calls files of this machine -> what they are called here.
        credentials: What the options give of them.
        token_file: File of the token.
    """

    server: str = ""
    context: str = ""
    project: str = ""
    as_json: bool = False
    debug: bool = False
    names: dict[str, str] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    token_file: Path | None = None

    def client(self, call_seconds: float = CALL_SECONDS) -> Client:
        """Returns a client of the server."""
        credentials = self.credentials
        if self.token_file:
            credentials = replace(credentials, token=read_token(self.token_file))
        target = find_target(self.server, self.context, self.project, credentials)
        return Client(target, call_seconds=call_seconds)

    def document(self, values: dict[str, Any]) -> None:
        """Prints one JSON document on standard output, where JSON is wanted."""
        if self.as_json:
            click.echo(json.dumps(values))

    def print(self, text: str) -> None:
        """Prints a result for people on standard output, where JSON is not wanted."""
        if not self.as_json:
            click.echo(text)

    def say(self, text: str) -> None:
        """Tells people something on standard error."""
        click.echo(self.named(text), err=True)

    def named(self, text: str) -> str:
        """Returns a text of the server's with the names that files have here."""
        for theirs, ours in self.names.items():
            text = text.replace(theirs, ours)
        return text


def command(function: Command) -> Command:
    """Gives a command the options that say where calls go, and what `local_command` gives it."""

    def run(session: Session, /, **arguments: Any) -> None:
        for name in ("server", "context", "project"):
            setattr(session, name, arguments.pop(name) or getattr(session, name))
        function(session, **arguments)

    found = local_command(functools.update_wrapper(run, function))
    for option in (PROJECT, CONTEXT, SERVER):
        found = option(found)
    return found


def local_command(function: Command) -> Command:
    """Gives a command that asks no server `--json`, its session, and its errors their form."""

    @click.pass_obj
    def run(session: Session, /, as_json: bool, **arguments: Any) -> None:
        session.as_json = as_json or session.as_json
        try:
            function(session, **arguments)
        except ClientError as error:
            _fail(session, error)

    return JSON(functools.update_wrapper(run, function))


def examples(*lines: str) -> str:
    """Returns the end of a help text: how a command is called, without `dlae-client`."""
    # Click leaves a paragraph as it is that begins with a backspace.
    return "\n".join(["\b", "Examples:", *(f"  dlae-client {line}" for line in lines)])


def violation_rows(rows: Any) -> list[dict[str, str]]:
    """Returns violations as JSON values."""
    return [{"path": row.path, "reason": row.reason, "message": row.message} for row in rows]


def _fail(session: Session, error: ClientError) -> None:
    if session.debug:
        traceback.print_exception(error)
    session.say(f"error: {error}")
    if isinstance(error, InvalidConfiguration):
        rows = violation_rows(error.violations)
        session.document({"valid": False, "violations": rows, "warnings": []})
    elif not error.told:
        session.document({"error": {"reason": error.reason, "message": str(error)}})
    sys.exit(error.exit_code)
