"""The log in backups: copied while a server writes it, and gone on with after a restore."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlae_core.bundle import sync_folder
from dlae_server.audit.reading import last_record, lengths, records
from dlae_server.audit.records import Position
from dlae_server.audit.segments import FOLDER, belongs_to_server, made_folder, numbers
from dlae_server.audit.verifying import verify
from dlae_server.errors import CannotStart, InvalidRequest

_BLOCK = 1 << 20


def copy_log(data_dir: Path, target: Path) -> dict[str, Any]:
    """Copies the log of a folder into another, which has none; returns what a backup says of it."""
    source, copy = data_dir / FOLDER, target / FOLDER
    if not numbers(source):
        return {}
    made_folder(copy)
    for path, size in lengths(source).items():
        _copy(path, copy / path.name, size)
    for path in source.glob("torn-*"):
        _copy(path, copy / path.name, path.stat().st_size)
    sync_folder(copy)
    tip = _tip(target)
    return {"audit_tip": str(tip)} if tip else {}


def restore_log(backup: Path, card: Mapping[str, Any], data_dir: Path) -> dict[str, Any]:
    """Brings the log of a backup back; returns what the record of that says.

    A log that the folder has already stays where it goes on from that of the backup; another is
    moved aside.

    Args:
        backup: The backup.
        card: What it says of itself.
        data_dir: The server's folder.
    """
    told: dict[str, Any] = {"created": card["created"], "store_sha256": card["store_sha256"]}
    expected = _position(card.get("audit_tip"))
    if numbers(backup / FOLDER):
        problems = len(verify(backup, expected=[expected] if expected else []).findings)
        told |= {"audit_tip": str(expected), "problems": problems}
    if numbers(data_dir / FOLDER):
        if expected and any(one.position == expected for one in records(data_dir)):
            return told | {"kept": str(_tip(data_dir))}
        tip = _tip(data_dir)
        aside = f"{FOLDER}-before-{tip.hash[:16] if tip else 'restore'}"
        (data_dir / FOLDER).replace(data_dir / aside)
        told |= {"aside": aside, "aside_tip": str(tip)}
    copy_log(backup, data_dir)
    return told


def _tip(folder: Path) -> Position | None:
    try:
        return last_record(folder).position
    except CannotStart:
        return None


def _position(text: Any) -> Position | None:
    try:
        return Position.parsed(str(text))
    except InvalidRequest:
        return None


def _copy(source: Path, target: Path, size: int) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        os.fchmod(new.fileno(), 0o600)
        belongs_to_server(new.fileno(), target.parent)
        while size and (block := old.read(min(_BLOCK, size))):
            new.write(block)
            size -= len(block)
        new.flush()
        os.fsync(new.fileno())
