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

from dlae_client.client import Client
from dlae_client.credentials import Credentials, default_server, read_token
from dlae_client.errors import ClientError, InvalidConfiguration

Command = Callable[..., None]


@dataclass
class Session:
    """The global options.

    Attributes:
        server: `host:port`; empty: that of the context file, else of this machine.
        as_json: Whether one JSON document goes to standard output and nothing else.
        debug: Whether errors show their traceback.
        names: What the server calls files of this machine -> what they are called here.
        credentials: What the options give of them.
        token_file: File of the token.
    """

    server: str = ""
    as_json: bool = False
    debug: bool = False
    names: dict[str, str] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    token_file: Path | None = None

    def client(self) -> Client:
        """Returns a client of the server."""
        credentials = self.credentials
        if self.token_file:
            credentials = replace(credentials, token=read_token(self.token_file))
        return Client(self.server or default_server(), credentials=credentials)

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
    """Gives a command the global options as well, its session, and its errors their form."""

    @click.option("--server", metavar="HOST:PORT", help="Server to talk to.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    @click.pass_obj
    def run(session: Session, /, server: str | None, as_json: bool, **arguments: Any) -> None:
        session.server = server or session.server
        session.as_json = as_json or session.as_json
        try:
            function(session, **arguments)
        except ClientError as error:
            _fail(session, error)

    return functools.update_wrapper(run, function)


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
