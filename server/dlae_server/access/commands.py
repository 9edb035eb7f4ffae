"""The commands `dlae-server token create`, `list` and `revoke`."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from dlae_server.access import tokens
from dlae_server.access.scopes import SCOPES
from dlae_server.access.tokens import Grant
from dlae_server.audit.opening import record, require_usable
from dlae_server.sentences import sentences
from dlae_server.settings import Settings

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def token() -> None:
    """Makes, lists and revokes tokens; a running server knows at once.

    A scope allows what those before it allow: viewer, predictor, trainer, admin.
    """


@token.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="What it allows.")
@click.option("--expires", type=click.FloatRange(0), metavar="DAYS", help="[default: never]")
@click.option(
    "--certificate",
    is_flag=True,
    help="Give the scope to client certificates with the common name NAME, and make no token.",
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    help="Where it holds, the first where a call names none; repeatable, '*': everywhere.  "
    "[default: default]",
)
@AS_JSON
@click.pass_obj
def create(settings: Settings, /, name: str, scope: str, as_json: bool, **given: Any) -> None:
    """Makes a token for NAME and shows it, once; as user of jobs stands NAME."""
    days, certificate, projects = given["expires"], given["certificate"], given["projects"]
    with sentences():
        require_usable(settings)
        grant, text = tokens.create(settings.data_dir, name, scope, days, certificate, projects)
        # Before the token is told to anybody.
        record(settings, "token_create", **_facts(grant))
    if as_json:
        click.echo(json.dumps({**_row(grant), **({"token": text} if text else {})}))
        return
    click.echo(text or f"certificates of {name} have the scope {scope}")
    if text:
        click.echo("this is shown once; clients read it from DLAE_TOKEN or --token-file", err=True)


@token.command("list")
@AS_JSON
@click.pass_obj
def show(settings: Settings, as_json: bool) -> None:
    """Lists all, those of the past too; never what would let anyone in."""
    with sentences():
        rows = [_row(grant) for grant in tokens.read_grants(settings.data_dir)]
    if as_json:
        click.echo(json.dumps({"tokens": rows}))
        return
    for row in rows:
        expires = f"  until {row['expires']}" if row["expires"] else ""
        click.echo(
            f"{row['id']}  {row['kind']:<11}  {row['scope']:<9}  {row['state']:<7}  "
            f"{row['name']}  in {', '.join(row['projects'])}{expires}"
        )


@token.command()
@click.argument("name")
@AS_JSON
@click.pass_obj
def revoke(settings: Settings, name: str, as_json: bool) -> None:
    """Revokes what NAME has; or one, by the first column of `list`."""
    with sentences():
        rows = [_row(grant) for grant in tokens.revoke(settings.data_dir, name)]
        for row in rows:
            record(settings, "token_revoke", token=row["id"], name=row["name"])
    if as_json:
        click.echo(json.dumps({"tokens": rows}))
        return
    for row in rows:
        click.echo(f"revoked {row['id']} of {row['name']}")


def _facts(grant: Grant) -> dict[str, Any]:
    """Returns what is recorded of a grant."""
    row = _row(grant)
    given = {name: row[name] for name in ("name", "kind", "projects", "expires")}
    return {"token": grant.id, "gives": grant.scope, **given}


def _row(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "name": grant.name,
        "kind": "token" if grant.sha256 else "certificate",
        "scope": grant.scope,
        "projects": list(grant.projects),
        "state": grant.state,
        "created": _time(grant.created),
        "expires": _time(grant.expires),
        "revoked": _time(grant.revoked),
    }


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat("T", "seconds")
    )
