"""Options of `dlae-server` that say where jobs run."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import click

from dlae_server.errors import CannotStart
from dlae_server.executors.cluster.executor import Cluster
from dlae_server.executors.executor import Executor
from dlae_server.executors.local import Local
from dlae_server.jobs.reserve import Reserve
from dlae_server.settings import Settings

LOCAL, RAY = "local", "ray"
# Where nothing else is said: as many jobs as a cluster has room for.
MANY = 1024
_OPTIONS = (
    click.option(
        "--executor",
        type=click.Choice([LOCAL, RAY]),
        default=LOCAL,
        show_default=True,
        help="Where jobs run: on this machine, or on those of a Ray cluster.",
    ),
    click.option(
        "--ray-address",
        metavar="HOST:PORT",
        default="auto",
        show_default=True,
        help="The Ray cluster, of which this machine is a node; auto: the one that runs here.",
    ),
    click.option(
        "--ray-cores",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Cores on the cluster of a job that asks for none.",
    ),
    click.option(
        "--ray-store",
        metavar="s3://BUCKET/FOLDER",
        help="Object store through which files of jobs go.  [default: a folder that nodes share]",
    ),
)


def executor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def executor_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Returns what the options mean, as settings."""
    most = MANY if options["executor"] == RAY else 1
    return {
        **{name: options[name] for name in ("executor", "ray_address", "ray_cores", "ray_store")},
        "running_jobs": options["running_jobs"] or most,
    }


def executor_of(settings: Settings, reserve: Reserve) -> Executor:
    """Returns what runs the jobs of a server.

    Args:
        settings: Which it is.
        reserve: Of workers on this machine; those elsewhere run the same program.

    Raises:
        CannotStart: What it needs is not installed, or not there.
    """
    if settings.executor == LOCAL:
        return Local(settings, reserve)
    if find_spec("ray") is None:
        raise CannotStart(
            "expected Ray for --executor ray, got none installed; "
            "pip install 'dlae[server,cluster]'"
        )
    return Cluster(settings, reserve.command)
