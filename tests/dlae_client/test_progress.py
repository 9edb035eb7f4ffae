"""Progress: a bar on a terminal, lines elsewhere."""

import io
import sys

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_client.cli.progress import TrainingProgress
from dlae_client.cli.tables import duration, metrics_line, number


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Returns True."""
        return True


def _shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    progress = TrainingProgress()
    step = pb.Progress(epoch=2, epochs=4, step=5, steps=10)
    events = [
        pb.JobEvent(sequence=1, training_started=pb.TrainingStarted(epochs=4, steps=10)),
        pb.JobEvent(sequence=2, resumed=pb.Resumed(progress=step, steps_done=15)),
        pb.JobEvent(sequence=2, step_finished=pb.StepFinished(progress=step)),
        pb.JobEvent(sequence=3, warned=pb.Warned(message="mind the step")),
        pb.JobEvent(sequence=4),
    ]
    for event in events:
        progress.show(event)
    progress.clear()
    return stream.getvalue()


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = _shown(monkeypatch, Terminal())
    assert f"[{'█' * 9}{'·' * 15}] epoch 2/4  step 5/10" in text
    assert text.endswith("\r\x1b[K")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_elsewhere_and_with_no_color_lines_are_plain(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = _shown(monkeypatch, stream())
    assert "\x1b" not in text
    assert "█" not in text
    assert text.splitlines()[1:] == ["going on from step 5 of epoch 2/4", "warning: mind the step"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.41, "0.410"), (0.0, "0.000"), (12.3456, "12.346"), (1e-5, "1e-05"), (float("nan"), "nan")],
)
def test_metrics_line_up(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(44.6, "45 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_of_many_metrics_those_of_training_and_of_validation_are_shown_the_loss_first() -> None:
    names = ["classification_loss", "localization_loss", "loss", "accuracy"]
    metrics = {f"{part}{name}": 1.0 for part in ("", "val_") for name in names}
    shown = metrics_line({**metrics, "val_average_precision": 0.5}).split()[::2]
    assert shown == [
        *("loss", "accuracy", "classification_loss"),
        *("val_loss", "val_accuracy", "val_average_precision"),
    ]
    assert metrics_line({"loss": 1.0, "accuracy": 2.0}, 3) == "loss 1.000  accuracy 2.000"
