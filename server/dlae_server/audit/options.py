"""Options of `dlae-server` that say what is recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

WHEN_FULL = ("refuse", "go-on")
_OPTIONS = (
    click.option(
        "--no-audit", is_flag=True, help="Keep no audit log.  [default: in the data folder]"
    ),
    click.option(
        "--audit-key",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of 32 or more secret bytes, outside the data folder, that signs the audit log.",
    ),
    click.option(
        "--audit-predictions",
        is_flag=True,
        help="Record of every prediction its output too, and tell callers where.",
    ),
    click.option(
        "--audit-when-full",
        type=click.Choice(WHEN_FULL),
        default=WHEN_FULL[0],
        show_default=True,
        help="What becomes of calls that cannot be recorded.",
    ),
)


def audit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def audit_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings that the options mean."""
    key = options["audit_key"]
    return {
        "audit": not options["no_audit"],
        "audit_key": key and key.absolute(),
        "audit_predictions": options["audit_predictions"],
        "audit_when_full": options["audit_when_full"],
    }
