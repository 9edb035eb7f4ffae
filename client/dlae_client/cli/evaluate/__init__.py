"""`dlae-client evaluate`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlae_client.cli.completion import model_or_file
from dlae_client.cli.context import Session, command, examples
from dlae_client.cli.evaluate.options import Options, checked_options
from dlae_client.errors import InvalidRequest, LocalFileError, UnusableData
from dlae_core.evaluation.kinds import KINDS

if TYPE_CHECKING:
    from dlae_client.cli.evaluate.work import Work
    from dlae_core.evaluation.result import Result


@click.command(
    epilog=examples(
        "evaluate tissue X.h5 y.h5 --group-by group -o report/",
        "evaluate --predictions found/ masks/ --task segmentation --json",
    )
)
@click.argument(
    "arguments",
    nargs=-1,
    required=True,
    metavar="MODEL IMAGES ANNOTATIONS",
    shell_complete=model_or_file,
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    help="Outputs or labels instead of MODEL, a file or a folder; IMAGES may then be left out.",
)
@click.option("--stacked", is_flag=True, help="The first axis of NumPy arrays numbers samples.")
@click.option("--task", type=click.Choice(KINDS), help="What PREDICTIONS are; else seen from them.")
@click.option(
    "--group-by",
    default="",
    metavar="KEY",
    help="Samples that belong together, as those of a patient: an attribute of the datasets, or a "
    "table of lines `sample,group` that ends in .csv.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for tables and figures."
)
@click.option("--force", is_flag=True, help="Write into a folder that holds something.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@click.option(
    "--draws",
    type=click.IntRange(0, 100_000),
    default=2000,
    show_default=True,
    help="Resamples of the bootstrap; 0: no intervals.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option(
    "--data-range",
    type=click.FloatRange(0, min_open=True),
    help="Largest difference of intensities, for PSNR and SSIM; else that of each annotation.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 4096),
    default=32,
    show_default=True,
    help="Most images per request.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="How to predict, as in the section `prediction` of a configuration: threshold=0.4.",
)
@command
def evaluate(session: Session, arguments: tuple[str, ...], **settings: Any) -> None:
    """Predicts IMAGES with MODEL (name, name@version or name@alias) and compares with ANNOTATIONS.

    Tells the metrics of the task with confidence intervals: bootstrap percentiles over cases. A
    case is a sample, or the samples of a group. Distances and sizes are in mm where all samples
    tell their spacing, as NIfTI files and those of `dlae-client data pack` do, else in pixels.

    Files may be HDF5, NumPy, NIfTI or pictures, or folders of them, whose files pair by name.
    Volumes are turned as their annotations lie. Cases are numbered in the order of the annotations'
    names.

    OUTPUT gets metrics.csv (case by case), summary.csv, summary.json and figures.
    """
    options = checked_options(arguments, Options(**settings))
    # h5py takes longer to import than the rest of the client together.
    from dlae_client.cli.evaluate.work import opened_work  # noqa: PLC0415
    from dlae_core.errors import DlaeError, UnusableDataset  # noqa: PLC0415

    try:
        with ExitStack() as stack:
            work = opened_work(stack, session, arguments, options)
            _finish(session, work, _evaluated(work, options), options)
    except UnusableDataset as error:
        raise UnusableData(str(error)) from error
    except DlaeError as error:
        raise LocalFileError(str(error)) from error
    except ImportError as error:
        message = f"evaluating needs {error.name}; `pip install 'dlae[evaluation]'` installs it"
        raise InvalidRequest(message, "MISSING_EXTRA") from error


def _evaluated(work: "Work", options: Options) -> "Result":
    from dlae_core.evaluation.cases import evaluate as evaluated  # noqa: PLC0415 - as above
    from dlae_core.evaluation.measures import Bootstrap  # noqa: PLC0415

    bootstrap = Bootstrap(options.draws, options.confidence, options.seed)
    return evaluated(work.task, work.data, work.predict, bootstrap, options.group_by)


def _finish(session: Session, work: "Work", result: "Result", options: Options) -> None:
    """Prints what was found and writes the files."""
    from dlae_client.cli.evaluate.files import document, write_tables  # noqa: PLC0415 - as above
    from dlae_client.cli.evaluate.text import lines  # noqa: PLC0415

    session.print("\n".join(lines(work, result, options)))
    for note in result.notes:
        session.say(f"note: {note}")
    told = document(work, result, options)
    if options.output is not None:
        from dlae_client.cli.evaluate.figures import write_figures  # noqa: PLC0415

        write_tables(options.output, result, told)
        write_figures(options.output, work, result)
        session.print(f"wrote tables and figures to {options.output}")
    session.document(told)
