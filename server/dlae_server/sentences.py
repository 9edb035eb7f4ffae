"""Errors of commands, one sentence each."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import click

from dlae_core.errors import DlaeError


@contextmanager
def sentences() -> Iterator[None]:
    """Turns what goes wrong in a command into one sentence and the exit status 1.

    Raises:
        click.ClickException: It says what went wrong.
    """
    try:
        yield
    except (DlaeError, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror or error}") from error
