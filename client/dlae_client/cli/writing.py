"""Text files that commands write."""

from pathlib import Path

from dlae_client.errors import LocalFileError
from dlae_client.writing import written_whole


def write_text(path: Path, text: str, force: bool) -> None:
    """Writes a file in UTF-8, whole or not at all.

    Args:
        path: Where.
        text: What.
        force: Whether to replace what is there.

    Raises:
        LocalFileError: There is a file already, or it cannot be written.
    """
    if path.exists() and not force:
        raise LocalFileError(f"{path} exists already; choose another name or use --force")
    with written_whole(path) as fresh:
        fresh.write_text(text, encoding="utf-8")
