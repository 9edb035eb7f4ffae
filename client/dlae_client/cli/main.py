"""The command `dlae-client`."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

import dlae
from dlae_client.cli.context import CONTEXT, JSON, Session
from dlae_client.credentials import DEFAULT_SERVER, Credentials

FILE = click.Path(dir_okay=False, path_type=Path)
COMMANDS = (
    "prebuilt",
    "config",
    "layers",
    "data",
    "datasets",
    "validate",
    "train",
    "run",
    "jobs",
    "status",
    "watch",
    "cancel",
    "predict",
    "evaluate",
    "fetch",
    "models",
    "context",
)
# `cli/context.py` is what every command shares.
ROOMS = {"context": "contexts"}


class Commands(click.Group):
    """The commands, each imported when it is needed."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Returns the names in the order of work."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Returns a command by name."""
        if name not in COMMANDS:
            return None
        room = importlib.import_module(f"dlae_client.cli.{ROOMS.get(name, name)}")
        found: click.Command = getattr(room, name)
        return found


@click.group(cls=Commands, context_settings={"max_content_width": 100})
@click.option(
    "--server",
    default="",
    metavar="HOST:PORT",
    help="Server to talk to; also DLAE_SERVER.  [default: that of the current context, else "
    f"{DEFAULT_SERVER}]",
)
@CONTEXT
@click.option(
    "--project",
    default="",
    metavar="NAME",
    help="Project that is meant; also DLAE_PROJECT.  [default: that of the context]",
)
@JSON
@click.option("--tls", is_flag=True, help="Use TLS; any of the next three means it too.")
@click.option(
    "--tls-ca", type=FILE, help="Who signs the server's certificate, in PEM; also DLAE_TLS_CA."
)
@click.option(
    "--tls-certificate",
    type=FILE,
    help="Certificate of this client, where the server asks for one; also DLAE_CLIENT_CERTIFICATE.",
)
@click.option("--tls-key", type=FILE, help="Its private key; also DLAE_CLIENT_KEY.")
@click.option("--token-file", type=FILE, help="File of the token; else DLAE_TOKEN is one.")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
@click.version_option(dlae.__version__)
@click.pass_context
def group(
    context: click.Context,
    /,
    server: str,
    project: str,
    as_json: bool,
    debug: bool,
    token_file: Path | None,
    **rest: Any,
) -> None:
    """Trains networks on a DLAE server and predicts with them."""
    where = (server, rest.pop("context") or "", project)
    context.obj = Session(
        *where, as_json, debug, credentials=Credentials(**rest), token_file=token_file
    )


def main() -> None:
    """Runs the command line."""
    # gRPC's own log lines are for its developers.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        group(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        if "--json" in sys.argv:
            values = {"reason": "USAGE", "message": error.format_message()}
            click.echo(json.dumps({"error": values}))
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
