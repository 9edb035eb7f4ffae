"""The commands `dlae-server fsck`, `backup`, `restore` and `export`."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from dlae_server.audit.opening import record
from dlae_server.audit.verifying import findings_of
from dlae_server.locking import locked
from dlae_server.models.files import models_folder
from dlae_server.models.stored import stored_model
from dlae_server.sentences import sentences
from dlae_server.settings import Settings
from dlae_server.upkeep.backup import back_up
from dlae_server.upkeep.backup import restore as bring_back
from dlae_server.upkeep.checking import check, remove_strays

FOLDER = click.Path(path_type=Path, file_okay=False)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command()
@click.option(
    "--remove-strays", "repair", is_flag=True, help="Remove folders and files that nothing needs."
)
@AS_JSON
@click.pass_obj
def fsck(settings: Settings, repair: bool, as_json: bool) -> None:
    """Checks the store, every file, that they agree, and the audit log; exit code 1 where not.

    A server may be running, unless something is to be removed.
    """
    with sentences():
        if repair:
            with locked(settings.data_dir):
                findings = remove_strays(check(settings.data_dir))
        else:
            findings = check(settings.data_dir)
    rows = [{"place": one.place, "problem": one.problem} for one in findings]
    rows += [
        {"place": f"audit log, {one.place}", "problem": one.problem}
        for one in findings_of(settings.data_dir)
    ]
    _tell(as_json, {"sound": not rows, "findings": rows})
    if not as_json:
        click.echo("\n".join(f"{row['place']}: {row['problem']}" for row in rows) or "all is sound")
    if rows:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("folder", type=FOLDER)
@AS_JSON
@click.pass_obj
def backup(settings: Settings, folder: Path, as_json: bool) -> None:
    """Copies jobs and models into a new FOLDER, checked; the server may be running."""
    with sentences():
        card = back_up(settings.data_dir, folder.absolute())
        what = {name: card[name] for name in ("store_sha256", "audit_tip") if name in card}
        record(settings, "backup", **what)
    _tell(as_json, card)
    if not as_json:
        click.echo(f"wrote {card['models']} models and {card['jobs']} jobs to {folder}")


@click.command()
@click.argument("folder", type=FOLDER)
@AS_JSON
@click.pass_obj
def restore(settings: Settings, folder: Path, as_json: bool) -> None:
    """Brings the backup in FOLDER back into the data folder, which must have no store."""
    with sentences(), locked(settings.data_dir):
        card = bring_back(folder.absolute(), settings.data_dir)
        told = card.pop("audit")
        record(settings, "restore", **told)
    if told.get("problems"):
        click.echo("the audit log of the backup is not sound; see `audit verify`", err=True)
    _tell(as_json, card)
    if not as_json:
        told = f"{card['models']} models and {card['jobs']} jobs of {card['created']}"
        click.echo(f"brought back {told} into {settings.data_dir}")


@click.command()
@click.argument("model")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write.")
@AS_JSON
@click.pass_obj
def export(settings: Settings, model: str, output: Path, as_json: bool) -> None:
    """Writes MODEL (name, name@version or name@alias) as a TensorFlow SavedModel.

    One of another project than `default` is PROJECT/MODEL.
    """
    with sentences():
        found = stored_model(settings.data_dir, model)
        _write_saved_model()(models_folder(settings.data_dir) / found.bundle, output.absolute())
    exact = f"{found.name}@{found.version}"
    _tell(as_json, {"model": exact, "format": "savedmodel", "path": str(output)})
    if not as_json:
        click.echo(f"wrote {exact} to {output}")


def _write_saved_model() -> Callable[[Path, Path], None]:
    from dlae_core.engines.saved_model import write_saved_model  # noqa: PLC0415 - TensorFlow

    return write_saved_model


def _tell(as_json: bool, values: dict[str, object]) -> None:
    if as_json:
        click.echo(json.dumps(values))
