"""The command `dlae-server`."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click

import dlae
from dlae_core.errors import DlaeError
from dlae_server.app import Commands, serve
from dlae_server.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"auto_envvar_prefix": "DLAE", "max_content_width": 100})
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
    help="Folder of jobs and models.",
)
@click.option(
    "--data-root",
    "data_roots",
    type=FOLDER,
    multiple=True,
    help="Folder whose files configurations may name; repeatable.  [default: the current folder]",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=9090,
    show_default=True,
    help="Port of /metrics; 0: any free one.",
)
@click.option("--no-metrics", is_flag=True, help="Serve no metrics.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.version_option(dlae.__version__)
def main(
    listen: str,
    data_dir: Path,
    data_roots: tuple[Path, ...],
    metrics_port: int,
    no_metrics: bool,
    log_level: str,
) -> None:
    """Trains networks and predicts with them, for clients on this machine.

    Every option can be given as an environment variable, DLAE_LISTEN for --listen.
    """
    logging.basicConfig(
        level=log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    settings = Settings(
        listen=listen,
        data_dir=data_dir.absolute(),
        data_roots=tuple(root.absolute() for root in data_roots or (Path.cwd(),)),
        metrics_port=None if no_metrics else metrics_port,
    )
    try:
        asyncio.run(serve_until_signal(settings))
    except DlaeError as error:
        raise click.ClickException(str(error)) from error


async def serve_until_signal(settings: Settings, commands: Commands | None = None) -> None:
    """Runs the service until the process is asked to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop, commands)


if __name__ == "__main__":
    main()
