"""Paths in configurations and tasks, where a node has another data folder than the server."""

import json
from pathlib import Path
from typing import Any


def paths_below(folder: Path, text: str) -> list[Path]:
    """Returns the files and folders below a folder that a configuration names."""
    return [Path(value) for value in _strings(json.loads(text)) if value.startswith(f"{folder}/")]


def moved(value: Any, old: Path, new: Path) -> Any:
    """Returns JSON values with another folder in the place of one."""
    if isinstance(value, dict):
        return {key: moved(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [moved(one, old, new) for one in value]
    if isinstance(value, str) and f"{value}/".startswith(f"{old}/"):
        return f"{new}{value.removeprefix(str(old))}"
    return value


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []
