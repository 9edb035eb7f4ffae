"""What differs between trainings and inference sessions, as the server runs them."""

from dataclasses import dataclass

from dlae_server.jobs.states import Job


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        task: The worker's task, and the kind's name in metrics.
        work: What it does, for sentences.
        goes_on: How it goes on after its worker or the server stopped.
    """

    task: str
    work: str
    goes_on: str

    @property
    def interrupted(self) -> str:
        """Why a job waits again whose server stopped."""
        return f"the server stopped while this job was running; {self.goes_on}"

    def stopped(self, cause: str) -> str:
        """Returns why a job waits again whose worker ended."""
        return f"{self.work} stopped: {cause}; {self.goes_on}"


KINDS = {
    Job.KIND_TRAINING: Kind(
        task="train",
        work="training",
        goes_on="training goes on from its last checkpoint, or from the beginning where there is "
        "none",
    ),
    Job.KIND_INFERENCE: Kind(
        task="infer",
        work="predicting",
        goes_on="predicting goes on after what it has written so far",
    ),
}


def kind_of(job: Job) -> Kind:
    """Returns the kind of a job."""
    return KINDS.get(job.kind, KINDS[Job.KIND_TRAINING])
