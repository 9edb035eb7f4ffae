"""Options of `dlae-server` that say who may come in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from dlae_server.access.projects import PROJECT

FILE = click.Path(dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option(
        "--tls-certificate",
        type=FILE,
        help="Certificate of the server in PEM, with those it was signed with; a new file is used "
        "without a restart.  [default: no TLS]",
    ),
    click.option("--tls-key", type=FILE, help="Its private key in PEM."),
    click.option(
        "--tls-client-ca",
        type=FILE,
        help="Who signs the certificates that clients must have.  [default: they need none]",
    ),
    click.option(
        "--require-tokens",
        is_flag=True,
        help="Ask for tokens even where none was made; where one was, they are asked for anyway.",
    ),
    click.option(
        "--metrics-host",
        metavar="HOST",
        help="Address of /metrics, which asks for no token.  [default: only this machine]",
    ),
)


def root_settings(folders: Sequence[Path]) -> dict[str, Any]:
    """Returns the settings that values of `--data-root` mean: `FOLDER`, or `PROJECT=FOLDER`."""
    open_to_all, bound = [], []
    for folder in folders:
        project, mark, rest = str(folder).partition("=")
        if mark and rest and PROJECT.fullmatch(project):
            bound.append((project, Path(rest).absolute()))
        else:
            open_to_all.append(folder.absolute())
    return {"data_roots": tuple(open_to_all), "project_roots": tuple(bound)}


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def access_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that the options mean."""
    files = {
        name: options[name] and options[name].absolute()
        for name in ("tls_certificate", "tls_key", "tls_client_ca")
    }
    others = {name: options[name] for name in ("require_tokens", "metrics_host")}
    return {**files, **others}
