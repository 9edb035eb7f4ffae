"""A configuration file as the commands that need no server take it."""

from dataclasses import dataclass
from pathlib import Path

from dlae_client.cli.context import Session
from dlae_client.configuration import read_text
from dlae_client.errors import InvalidConfiguration
from dlae_core.config import Completion, Reading, complete_config, load_config, read_config
from dlae_core.errors import InvalidConfig, Violation


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file that can be read; it may hold settings that do not fit each other.

    Attributes:
        reading: What the file gives.
        completion: With everything filled in.
        warnings: Everything that the check has against it.
    """

    reading: Reading
    completion: Completion
    warnings: tuple[Violation, ...]


def read_config_file(path: Path) -> ConfigFile:
    """Reads and checks a configuration file.

    Raises:
        InvalidConfiguration: Something in it cannot be read; tells everything that is wrong.
        LocalFileError: The file cannot be read.
    """
    text = read_text(path)
    reading = read_config(text)
    completion = complete_config(reading.config, reading.switched_off)
    try:
        loaded = load_config(text)
        warnings = loaded.warnings + loaded.unsupported
    except InvalidConfig as error:
        if reading.violations:
            raise InvalidConfiguration(error.violations) from error
        warnings = error.violations
    return ConfigFile(reading, completion, warnings)


def require_complete(file: ConfigFile) -> None:
    """Demands that the prebuilt network which a configuration names could be written out.

    Raises:
        InvalidConfiguration: It could not.
    """
    if file.completion.violations:
        raise InvalidConfiguration(file.completion.violations)


def origin_notes(file: ConfigFile) -> list[str]:
    """Returns sentences on the settings that the file leaves out."""
    origins: dict[str, set[str]] = {}
    for path, origin in file.completion.origins.items():
        # A text with colons is one setting, whatever its parts.
        origins.setdefault(".".join(path.split(".")[:2]), set()).add(origin)
    brought = sum(found == {"prebuilt"} for found in origins.values())
    filled = sum(
        found == {"default"} and not path.startswith("layers.") for path, found in origins.items()
    )
    notes = []
    if brought:
        name = file.reading.config.config_file.prebuilt
        notes.append(f"prebuilt '{name}' gives {_settings(brought)}")
    if filled:
        notes.append(f"{_settings(filled)} left out, with their defaults")
    if file.completion.origins["config_file.input_shape"] == "rule":
        notes.append("config_file.input_shape left out, that of the Input layer")
    return notes


def tell(session: Session, file: ConfigFile, notes: list[str]) -> None:
    """Prints notes and warnings on standard error."""
    for note in notes:
        session.say(f"note: {note}")
    for warning in file.warnings:
        session.say(f"warning: {warning}")


def _settings(count: int) -> str:
    return f"{count} setting" if count == 1 else f"{count} settings"
