"""Logs written without a server."""

from pathlib import Path

from dlae_server.audit.chain import Chain
from dlae_server.audit.records import Key, Position
from dlae_server.audit.segments import FOLDER, numbers, segment

KEY = Key(b"0123456789abcdef0123456789abcdef")


def write(
    data_dir: Path, count: int, key: Key | None = None, segment_bytes: int = 1 << 20, at: int = 1
) -> list[Position]:
    """Writes records, each by itself; returns where they are."""
    chain = Chain(data_dir, key, segment_bytes)
    try:
        return [chain.append([facts(n)])[0] for n in range(at, at + count)]
    finally:
        chain.close()


def facts(number: int) -> dict[str, object]:
    """Returns what a record says."""
    return {"what": "call", "call": "ModelService/SetAlias", "number": number, "who": "anna"}


def files(data_dir: Path) -> list[Path]:
    """Returns the segments of a log."""
    folder = data_dir / FOLDER
    return [segment(folder, number) for number in numbers(folder)]


def stored_lines(data_dir: Path) -> list[bytes]:
    """Returns all lines of a log, with their ends."""
    return [line for path in files(data_dir) for line in path.read_bytes().splitlines(True)]
