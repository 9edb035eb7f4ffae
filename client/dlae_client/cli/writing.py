"""Text files that commands write."""

import os
from pathlib import Path

from dlae_client.errors import LocalFileError


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise LocalFileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
