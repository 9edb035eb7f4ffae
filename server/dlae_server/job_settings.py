"""Options of `dlae-server` that say how jobs are treated."""

from collections.abc import Callable
from typing import Any

import click

MINUTE = 60.0
_OPTIONS = (
    click.option(
        "--running-jobs",
        type=click.IntRange(1, 1024),
        help="Jobs that may run at once; each has its share of the cores, and one GPU.  "
        "[default: 1; on a cluster as many as have room]",
    ),
    click.option(
        "--running-jobs-per-user", type=click.IntRange(1), help="The same, for each user."
    ),
    click.option(
        "--queued-jobs",
        type=click.IntRange(1),
        default=10_000,
        show_default=True,
        help="Jobs that may wait.",
    ),
    click.option("--queued-jobs-per-user", type=click.IntRange(1), help="The same, for each user."),
    click.option(
        "--gpus", metavar="0,1", help="GPUs that jobs may have.  [default: those that are there]"
    ),
    click.option(
        "--silent-minutes",
        type=click.FloatRange(0),
        default=15,
        show_default=True,
        help="How long a worker may tell nothing and do nothing; 0: for ever.",
    ),
    click.option(
        "--reserve-minutes",
        type=click.FloatRange(0),
        default=10,
        show_default=True,
        help="How long a worker that has loaded TensorFlow waits for a job; 0: none does.",
    ),
    click.option(
        "--retention-days",
        type=click.FloatRange(0),
        help="How long jobs are kept after their end; models stay.  [default: for ever]",
    ),
)


def job_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def job_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Returns what the options mean, as settings."""
    gpus = options["gpus"]
    return {
        **{name: options[name] for name in ("queued_jobs", "retention_days")},
        "running_jobs_per_user": options["running_jobs_per_user"],
        "queued_jobs_per_user": options["queued_jobs_per_user"],
        "gpus": None if gpus is None else tuple(name for name in gpus.split(",") if name),
        "silent_seconds": options["silent_minutes"] * MINUTE,
        "reserve_seconds": options["reserve_minutes"] * MINUTE,
        "reserve_at_start": options["reserve_minutes"] > 0,
    }
