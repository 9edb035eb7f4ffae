"""One example from its data to its quality, with the server and the client that people use.

`dlae-client train` trains, `dlae-client evaluate` predicts what was held out, compares it with the
truth and draws the best, the median and the worst case.
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.session import has_model, run_client, running_server

FOLDER = Path(".demo")
# Distances: the smaller, the better.
ERRORS = ("coordinate_error",)
# Resamples for the intervals; fewer than the client draws by default, which takes longer.
DRAWS = "200"


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        name: Of the example and of its model.
        task: What is learned from what, in a few words.
        config: The configuration; its paths begin in the folder of the example.
        prepare: Writes the data files into a folder.
        measure: Name of the measure, as `dlae-client evaluate` tells it of all classes together.
        wanted: Quality that is expected on the samples that were held out.
    """

    name: str
    task: str
    config: Path
    prepare: Callable[[Path], None]
    measure: str
    wanted: float

    @property
    def expectation(self) -> str:
        """The expected quality, in words."""
        side = "at most" if self.measure in ERRORS else "at least"
        return f"{self.measure} {side} {self.wanted:g}"

    def suffices(self, value: float) -> bool:
        """Returns whether a quality is as good as expected."""
        return value <= self.wanted if self.measure in ERRORS else value >= self.wanted


@dataclass(frozen=True)
class Outcome:
    """What running an example gave.

    Attributes:
        example: The example.
        value: Its quality.
        seconds: How long it took.
    """

    example: Example
    value: float
    seconds: float

    @property
    def suffices(self) -> bool:
        """Whether the quality is as good as expected."""
        return self.example.suffices(self.value)


def run_example(example: Example, folder: Path, again: bool = False) -> Outcome:
    """Prepares, trains, evaluates; reuses what exists, unless the configuration has changed.

    Args:
        example: The example.
        folder: For everything that it writes; absolute.
        again: Whether data and model are made again.

    Raises:
        SystemExit: A command failed; it has said why.
    """
    start = time.monotonic()
    print(f"\n== {example.name}: {example.task}")
    data, config = folder / "data", folder / "config.json"
    old = config.read_bytes() if config.exists() else b""
    again = again or old != example.config.read_bytes() or not (data / "test_y.h5").exists()
    if again:
        example.prepare(data)
    else:
        print("data     reused")
    shutil.copy(example.config, config)
    with running_server(folder) as address:
        if not again and has_model(address, example.name):
            print(f"model    {example.name} reused; remove {folder} to train again")
        else:
            run_client(address, "train", str(config), "--name", example.name)
        files = [str(data / f"test_{side}.h5") for side in ("X", "y")]
        options = ["-o", str(folder / "evaluation"), "--force", "--draws", DRAWS]
        run_client(address, "evaluate", example.name, *files, *options)
    value = _measured(folder / "evaluation" / "summary.json", example.measure)
    print(f"figures  {folder / 'evaluation'}")
    return Outcome(example, value, time.monotonic() - start)


def main(*examples: Example) -> None:
    """Runs examples from the command line; ends with code 1 where one misses its quality."""
    parser = argparse.ArgumentParser(description="; ".join(one.task for one in examples))
    add_options(parser)
    arguments = parser.parse_args()
    raise SystemExit(run_all(examples, arguments.folder, arguments.again))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that all examples have."""
    parser.add_argument("--folder", type=Path, default=FOLDER, help="(default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="make data and models again")


def run_all(examples: Sequence[Example], folder: Path, again: bool) -> int:
    """Runs examples, each in a folder of its name; prints a table of what they gave.

    Returns:
        The exit code: 1 where one missed its quality.
    """
    place = folder.absolute()
    outcomes = [run_example(example, place / example.name, again) for example in examples]
    print(f"\n{'example':<20} {'measure':<18} {'wanted':>7} {'got':>7} {'seconds':>8}")
    for one in outcomes:
        told = f"{one.example.name:<20} {one.example.measure:<18} {one.example.wanted:>7g}"
        missed = "" if one.suffices else "  missed"
        print(f"{told} {one.value:>7.3f} {one.seconds:>8.0f}{missed}")
    return 0 if all(one.suffices for one in outcomes) else 1


def _measured(summary: Path, name: str) -> float:
    """Returns a measure of all classes together."""
    measures = json.loads(summary.read_text())["measures"]
    return next(
        float(one["value"]) for one in measures if (one["name"], one["subject"]) == (name, "")
    )
