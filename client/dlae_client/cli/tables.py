"""Tables and numbers for people."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from dlae.v1.training_pb2 import Job, StateChanged


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns rows under their head, columns aligned."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def state_name(job: Job | StateChanged) -> str:
    """Returns the state of a job, or the one it entered, as it is printed: `RUNNING`."""
    return Job.State.Name(job.state).removeprefix("STATE_")


def job_progress(job: Job) -> str:
    """Returns how far a job is, in a few words; nothing before it has begun."""
    progress = job.progress
    if job.kind == Job.KIND_INFERENCE:
        return f"{progress.step}/{progress.steps} samples" if progress.steps else ""
    return f"epoch {progress.epoch}/{progress.epochs}" if progress.epochs else ""


def number(value: float) -> str:
    """Returns a metric with three decimals, or three digits where it is very small or large."""
    plain = value == 0 or 0.01 <= abs(value) < 1e5
    return f"{value:.3f}" if plain else f"{value:.3g}"


def metrics_line(metrics: Mapping[str, float], limit: int = 6) -> str:
    """Returns metrics in one line: those of training, then as many of validation.

    The loss comes first, its parts come last: of families with many metrics those are left out.
    """

    def place(name: str) -> tuple[bool, bool, str]:
        plain = name.removeprefix("val_")
        return plain != "loss", "loss" in plain, name

    ordered = sorted(metrics, key=place)
    validated = [name for name in ordered if name.startswith("val_")]
    trained = [name for name in ordered if name not in validated]
    trained = trained[: max(limit - len(validated), (limit + 1) // 2)]
    shown = [*trained, *validated[: limit - len(trained)]]
    return "  ".join(f"{name} {number(metrics[name])}" for name in shown)


def shape(lengths: Sequence[int]) -> str:
    """Returns a shape: `96 x 112 x 1`."""
    return " x ".join(str(length) if length else "any" for length in lengths)


def moment(stamp: Timestamp) -> str:
    """Returns a time in the local zone, to the second."""
    return stamp.ToDatetime(tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Returns a duration: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """Returns a number of bytes: `12 KiB`, `310 MiB`, `12.4 GiB`."""
    if count < 1 << 20:
        return f"{-(-count // 1024)} KiB"
    mebibytes = count / (1 << 20)
    return f"{mebibytes:.0f} MiB" if mebibytes < 1000 else f"{mebibytes / 1024:.1f} GiB"


def short_time(seconds: float) -> str:
    """Returns a time that may be short: `3.1 ms`, `0.48 s`, `2 min 5 s`."""
    if seconds < 0.1:
        return f"{seconds * 1e3:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)
