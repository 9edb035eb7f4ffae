"""The command `dlae-server`."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

import dlae
from dlae_core.backbones.weight_files import FOLDER_VARIABLE
from dlae_core.engines.choice import ENGINES
from dlae_core.errors import DlaeError
from dlae_server.access.commands import token
from dlae_server.access.options import access_options, access_settings, root_settings
from dlae_server.app import Commands, serve
from dlae_server.audit.commands import audit
from dlae_server.audit.options import audit_options, audit_settings
from dlae_server.confinement.environment import tell_workers
from dlae_server.confinement.scratch import sweep
from dlae_server.executors.options import executor_options, executor_settings
from dlae_server.job_settings import job_options, job_settings
from dlae_server.settings import Settings
from dlae_server.upkeep.commands import backup, export, fsck, restore
from dlae_server.weights import weights

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(
    invoke_without_command=True,
    context_settings={"auto_envvar_prefix": "DLAE", "max_content_width": 100},
)
@click.option(
    "--listen",
    default="127.0.0.1:50051",
    show_default=True,
    help="HOST:PORT; port 0: any free one.",
)
@click.option(
    "--data-dir",
    type=FOLDER,
    default=Path("dlae-data"),
    show_default=True,
    help="Folder of jobs, models and data.",
)
@click.option(
    "--data-root",
    "data_roots",
    type=FOLDER,
    multiple=True,
    metavar="[PROJECT=]FOLDER",
    help="Folder whose files configurations may name, of one project or of all; repeatable.  "
    "[default: the current folder]",
)
@click.option(
    "--weights-dir",
    type=FOLDER,
    help="Folder of ImageNet weights.  [default: weights in the data folder]",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What runs models.  [default: the fastest that can, model by model]",
)
@click.option(
    "--engine-threads",
    type=click.IntRange(1, 1024),
    help="Threads that a model may use.  [default: its share of the cores]",
)
@click.option(
    "--loaded-models",
    type=click.IntRange(1, 1000),
    default=2,
    show_default=True,
    help="Models that may be loaded at once; the least recently used goes first.",
)
@click.option(
    "--model-memory",
    type=click.IntRange(1, 1 << 24),
    metavar="MEGABYTES",
    help="Memory of all loaded models above which the least recently used goes.  [default: any]",
)
@click.option(
    "--pin",
    "pinned",
    metavar="MODEL",
    multiple=True,
    help="Model that is always loaded, switched to a new version when that is ready; repeatable.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=9090,
    show_default=True,
    help="Port of /metrics; 0: any free one.",
)
@click.option(
    "--rest-address",
    metavar="HOST:PORT",
    help="Where the Open Inference Protocol is served over HTTP too.  [default: nowhere]",
)
@click.option("--no-metrics", is_flag=True, help="Serve no metrics.")
@click.option(
    "--dataset-gib",
    type=click.FloatRange(0),
    help="Length of all data files that clients upload, in GiB.  [default: as the disk has room]",
)
@job_options
@executor_options
@access_options
@audit_options
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.version_option(dlae.__version__)
@click.pass_context
def main(context: click.Context, /, log_level: str, **options: Any) -> None:
    """Trains networks and predicts with them, for clients on this machine or, with TLS, others.

    Every option can be given as an environment variable, DLAE_LISTEN for --listen. Without a
    command it serves.
    """
    context.obj = _settings(options)
    if context.invoked_subcommand is None:
        logging.basicConfig(
            level=log_level.upper(),
            stream=sys.stderr,
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
        )
        _serve(context.obj)


for one in (weights, fsck, backup, restore, export, token, audit):
    main.add_command(one)


def _settings(options: dict[str, Any]) -> Settings:
    weights_dir, gib = options["weights_dir"], options["dataset_gib"]
    return Settings(
        listen=options["listen"],
        data_dir=options["data_dir"].absolute(),
        **root_settings(options["data_roots"] or (Path.cwd(),)),
        weights_dir=weights_dir.absolute() if weights_dir else None,
        engine=options["engine"],
        engine_threads=options["engine_threads"],
        **job_settings(options),
        **executor_settings(options),
        **access_settings(options),
        **audit_settings(options),
        dataset_bytes=None if gib is None else round(gib * (1 << 30)),
        rest_address=options["rest_address"],
        loaded_models=options["loaded_models"],
        model_bytes=options["model_memory"] and options["model_memory"] * 10**6,
        pinned=tuple(options["pinned"]),
        metrics_port=None if options["no_metrics"] else options["metrics_port"],
    )


def _serve(settings: Settings) -> None:
    # Worker processes inherit it.
    os.environ[FOLDER_VARIABLE] = str(settings.weights_folder)
    try:
        asyncio.run(serve_until_signal(settings))
    except DlaeError as error:
        # Anything else is a fault of ours, of which the log tells more than a sentence.
        raise click.ClickException(str(error)) from error


async def serve_until_signal(settings: Settings, commands: Commands | None = None) -> None:
    """Runs the service until the process is asked to end."""
    roots = (*settings.data_roots, *(root for _, root in settings.project_roots))
    tell_workers(settings.data_dir, roots)
    sweep(settings.data_dir)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop, commands)


if __name__ == "__main__":
    main()
