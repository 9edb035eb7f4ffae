"""Progress on standard error: a live bar on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time
from collections.abc import Callable

import click

from dlae.v1.training_pb2 import JobEvent, Progress
from dlae_client.cli.tables import duration, metrics_line, state_name

REDRAW_SECONDS = 0.1
BAR_CELLS = 24


class Bar:
    """A line that is drawn over and over; does nothing where there is no terminal.

    Args:
        named: Puts the names that files have here into texts of the server's.
    """

    def __init__(self, named: Callable[[str], str] = str) -> None:
        self._named = named
        self._live = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        self._last = 0.0

    def draw(self, fraction: float, text: str) -> None:
        """Draws the bar and a text after it."""
        now = time.monotonic()
        if not self._live or now - self._last < REDRAW_SECONDS:
            return
        self._last = now
        full = round(fraction * BAR_CELLS)
        line = f"[{'█' * full}{'·' * (BAR_CELLS - full)}] {text}"
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r\x1b[K{line[:width]}", nl=False, err=True, color=True)

    def line(self, text: str) -> None:
        """Writes a line that stays, above the bar."""
        self.clear()
        click.echo(self._named(text), err=True)

    def clear(self) -> None:
        """Removes the bar."""
        if self._live:
            click.echo("\r\x1b[K", nl=False, err=True, color=True)
        self._last = 0.0


class TrainingProgress:
    """Shows the events of a job as they come."""

    def __init__(self, named: Callable[[str], str] = str) -> None:
        self._bar = Bar(named)
        self._start = time.monotonic()
        self._begun_at = 0.0
        self._shows: dict[str, Callable[[JobEvent], None]] = {
            "state_changed": self._state,
            "training_started": self._training_started,
            "resumed": self._resumed,
            "step_finished": self._step,
            "epoch_finished": self._epoch,
            "warned": lambda event: self._bar.line(f"warning: {event.warned.message}"),
            "inference_started": self._inference_started,
            "samples_predicted": self._samples,
            "model_saved": lambda event: self._bar.line(f"saved {event.model_saved.model}"),
        }

    def show(self, event: JobEvent) -> None:
        """Shows an event; kinds that a newer server sends are left out."""
        kind = event.WhichOneof("kind")
        if kind is not None:
            self._shows[kind](event)

    def lost(self) -> None:
        """Shows that the connection is lost."""
        self._bar.line("connection lost; trying again")

    def clear(self) -> None:
        """Removes the bar."""
        self._bar.clear()

    def _state(self, event: JobEvent) -> None:
        changed = event.state_changed
        name = state_name(changed).lower()
        self._bar.line(f"{name}: {changed.message}" if changed.message else name)

    def _training_started(self, event: JobEvent) -> None:
        told = event.training_started
        self._start, self._begun_at = time.monotonic(), -1.0
        self._bar.line(
            f"training {told.parameters:,} weights on {told.training_samples} samples "
            f"({told.validation_samples} for validation), {told.epochs} epochs of {told.steps} "
            f"steps, on the {told.device}"
        )

    def _resumed(self, event: JobEvent) -> None:
        at = event.resumed.progress
        self._bar.line(f"going on from step {at.step} of epoch {at.epoch}/{at.epochs}")

    def _step(self, event: JobEvent) -> None:
        told = event.step_finished
        done = _fraction(told.progress)
        if self._begun_at < 0:
            # The first steps carry the compilation; time left is reckoned from there.
            self._begun_at, self._start = done, time.monotonic()
        self._bar.draw(
            done,
            f"epoch {told.progress.epoch}/{told.progress.epochs}  "
            f"step {told.progress.step}/{told.progress.steps}  "
            f"{metrics_line(told.metrics, 3)}{self._left(done)}",
        )

    def _epoch(self, event: JobEvent) -> None:
        told = event.epoch_finished
        self._bar.line(
            f"epoch {told.progress.epoch}/{told.progress.epochs}  {metrics_line(told.metrics)}  "
            f"{told.duration.ToTimedelta().total_seconds():.1f} s"
        )

    def _inference_started(self, event: JobEvent) -> None:
        told = event.inference_started
        self._start, self._begun_at = time.monotonic(), 0.0
        self._bar.line(f"predicting {told.samples} samples with a {told.family}, by {told.engine}")

    def _samples(self, event: JobEvent) -> None:
        told = event.samples_predicted
        done = told.samples_done / told.samples if told.samples else 1.0
        self._bar.draw(done, f"{told.samples_done}/{told.samples} samples{self._left(done)}")

    def _left(self, done: float) -> str:
        if (moved := done - self._begun_at) <= 0:
            return ""
        return f"  {duration((time.monotonic() - self._start) * (1 - done) / moved)} left"


def _fraction(progress: Progress) -> float:
    done = (progress.epoch - 1) * progress.steps + progress.step
    return done / (progress.epochs * progress.steps) if progress.epochs * progress.steps else 0.0
