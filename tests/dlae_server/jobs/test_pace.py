"""How often a worker tells how far it is."""

from dlae_core.events import Progress, SamplesPredicted, StepFinished, Warned
from dlae_server.jobs.pace import SHOWN, Pace


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Returns the time."""
        return self.now


def _step(step: int, steps: int = 100) -> StepFinished:
    return StepFinished(Progress(1, 1, step, steps), {}, step, step)


def test_of_steps_a_few_a_second_and_the_last_are_told() -> None:
    clock = Clock()
    pace = Pace(clock)
    told = []
    for step in range(1, 101):
        clock.now = step * 0.01
        told.append(pace.allows(_step(step)))
    assert [step for step, allowed in enumerate(told, 1) if allowed] == [1, 26, 51, 76, 100]


def test_a_long_session_tells_of_its_samples_a_limited_number_of_times() -> None:
    clock = Clock()
    pace = Pace(clock)
    samples = 100_000
    told = []
    for done in range(1, samples + 1):
        clock.now = float(done)
        if pace.allows(SamplesPredicted(done, samples)):
            told.append(done)
    assert len(told) == SHOWN
    assert told[-1] == samples


def test_a_short_session_tells_of_its_end_and_not_of_everything() -> None:
    clock = Clock()
    pace = Pace(clock)
    told = []
    for done in range(1, 101):
        clock.now = done * 0.01
        if pace.allows(SamplesPredicted(done, 100)):
            told.append(done)
    assert told == [1, 26, 51, 76, 100]


def test_what_is_no_progress_is_always_told() -> None:
    pace = Pace(Clock())
    assert all(pace.allows(Warned("A", "b")) for _ in range(3))
