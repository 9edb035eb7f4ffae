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
        "--oidc-issuer",
        metavar="URL",
        help="Who issues tokens of OpenID Connect that are taken too.  [default: nobody]",
    ),
    click.option("--oidc-audience", metavar="NAME", help="For whom they are to be issued."),
    click.option(
        "--oidc-name-claim",
        default="sub",
        show_default=True,
        help="Where such a token has the name of its caller; dots lead inwards.",
    ),
    click.option(
        "--oidc-scope-claim",
        default="dlae_scope",
        show_default=True,
        help="Where it has the scope, a text or a list of which the highest counts.",
    ),
    click.option(
        "--oidc-project-claim",
        default="dlae_projects",
        show_default=True,
        help="Where it has the projects; a token without any holds in `default`.",
    ),
    click.option(
        "--max-calls-per-caller",
        type=click.IntRange(0),
        default=256,
        show_default=True,
        help="Calls that one caller, by name, may have under way; 0: any.",
    ),
    click.option(
        "--max-calls-per-second",
        type=click.FloatRange(0),
        default=2000,
        show_default=True,
        help="Calls of one caller in a second, twice as many at once; 0: any.",
    ),
    click.option(
        "--max-gib-per-caller",
        type=click.FloatRange(0),
        default=8,
        show_default=True,
        help="Length of all requests of one caller that are being answered; 0: any.",
    ),
    click.option(
        "--stream-silence",
        type=click.FloatRange(0.1),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="How long nothing may come of a stream, or be taken of one, before it is ended.",
    ),
    click.option(
        "--least-disk-mib",
        type=click.IntRange(0),
        default=200,
        show_default=True,
        help="Free space of the data folder's disk below which nothing new is taken.",
    ),
    click.option(
        "--least-memory-mib",
        type=click.IntRange(0),
        default=256,
        show_default=True,
        help="Available memory below which no job is taken and no model loaded.",
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
    plain = ("require_tokens", "metrics_host", "oidc_issuer", "oidc_audience")
    others: dict[str, Any] = {name: options[name] for name in plain}
    claims = (f"oidc_{name}_claim" for name in ("name", "scope", "project"))
    others["oidc_claims"] = tuple(options[name] for name in claims)
    return {**files, **others, **_bounds(options)}


def _bounds(options: dict[str, Any]) -> dict[str, Any]:
    kept = round(options["max_gib_per_caller"] * (1 << 30))
    return {
        "calls_per_caller": options["max_calls_per_caller"] or None,
        "calls_per_second": options["max_calls_per_second"] or None,
        "bytes_per_caller": kept or None,
        "stream_silence_seconds": options["stream_silence"],
        "free_bytes": options["least_disk_mib"] << 20,
        "memory_bytes": options["least_memory_mib"] << 20,
    }
