"""What becomes of a job when its worker has ended."""

import asyncio
import logging
import shutil
from contextlib import suppress
from pathlib import Path

from dlae.v1 import models_pb2
from dlae.v1 import training_pb2 as pb
from dlae_core.errors import DlaeError, StorageFailed
from dlae_server.jobs.checkpoints import CHECKPOINT_FILE, bundle_folder, job_folder
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.kinds import kind_of
from dlae_server.jobs.results import stored
from dlae_server.jobs.run import STOPPING, Ending
from dlae_server.jobs.states import FINISHED, Job, succeed_with
from dlae_server.jobs.transitions import stop, wait_again, wait_as_before
from dlae_server.jobs.verdict import (
    HUNG,
    NEVER_BEGAN,
    OUT_OF_MEMORY,
    TIME_LIMIT,
    WORKER_DIED,
    Verdict,
)
from dlae_server.metrics import Metrics
from dlae_server.models.objects import share
from dlae_server.models.registry import model_from_bundle
from dlae_server.settings import Settings

LOG = logging.getLogger(__name__)
# Starts in a row that got no further than one before.
STALLS = 3
# A limit of the job: another start would end in the same way.
FINAL = (TIME_LIMIT, OUT_OF_MEMORY)


class Outcomes:
    """Brings jobs into the states that the ends of their workers mean."""

    def __init__(self, settings: Settings, metrics: Metrics, journal: Journal) -> None:
        self._settings = settings
        self._metrics = metrics
        self._journal = journal

    async def settle(self, job_id: str, ending: Ending) -> None:
        """Brings a job into the state that the end of its worker means."""
        message = ending.message
        if "bundle" in message.get("result", {}):
            await self._succeed(job_id, Path(message["result"]["bundle"]))
        elif "result" in message:
            await self._keep(job_id, Path(message["result"]["file"]))
        elif "failure" in message:
            failure = message["failure"]
            sentence = failure["message"] + self._way_on(job_id)
            await self._fail(job_id, failure["reason"], sentence)
        elif "died" in message:
            await self._died(job_id, message["died"], ending.verdict)
        else:
            await self._stopped(job_id, ending.verdict)
        job = await self._journal.call(self._journal.store.job, job_id)
        if job.state in FINISHED:
            await asyncio.to_thread(tidy, job_folder(self._settings.data_dir, job_id))

    async def _stopped(self, job_id: str, verdict: Verdict | None) -> None:
        """Settles a job whose worker has stopped at a step."""
        job = await self._journal.call(self._journal.store.job, job_id)
        if verdict and job.state not in STOPPING:
            await self._judge(job, verdict)
        else:
            await self._journal.change(job_id, stop)

    async def _died(self, job_id: str, cause: str, verdict: Verdict | None) -> None:
        job = await self._journal.call(self._journal.store.job, job_id)
        if self._journal.stopping or job.state in STOPPING:
            message = kind_of(job).interrupted
            await self._journal.change(job_id, lambda job: wait_again(job, message))
            return
        if _is(verdict, NEVER_BEGAN):
            await self._journal.change(job_id, lambda job: wait_as_before(job, cause))
            return
        self._metrics.restarts.labels("job_hung" if _is(verdict, HUNG) else "job_died").inc()
        verdict = verdict or Verdict(WORKER_DIED, cause)
        if job.stalls < STALLS and not _is_final(job, verdict):
            LOG.warning("job %s: %s", job_id, verdict.cause)
            message = kind_of(job).stopped(verdict.cause)
            await self._journal.change(job_id, lambda job: wait_again(job, message))
        else:
            await self._judge(job, verdict)

    async def _judge(self, job: Job, verdict: Verdict) -> None:
        message = f"{kind_of(job).work} stopped: {verdict.cause}{self._way_on(job.id)}"
        await self._fail(job.id, verdict.reason, message)

    async def _fail(self, job_id: str, reason: str, message: str) -> None:
        error = pb.JobError(reason=reason, message=message)
        await self._journal.finish(job_id, Job.STATE_FAILED, error)

    def _way_on(self, job_id: str) -> str:
        """Returns how to go on from a failed job's last checkpoint, where there is one."""
        recovery = job_folder(self._settings.data_dir, job_id) / "work" / "recovery"
        if not any(recovery.glob("*.dlae")):
            return ""
        return (
            f"; its last checkpoint is kept: type_signal 'Train from Checkpoint' with "
            f"load_checkpoint 'job:{job_id}' goes on from it"
        )

    async def _succeed(self, job_id: str, bundle: Path) -> None:
        """Moves the bundle to its place, then tells of it."""
        job = await self._journal.call(self._journal.store.job, job_id)
        target = bundle_folder(self._settings.data_dir, job_id)
        try:
            model = await asyncio.to_thread(_stored, bundle, target, job)
        except (OSError, DlaeError) as error:
            await self._fail_to_store(job_id, "trained model", error)
        else:
            await self._journal.finish_with_model(model)

    async def _keep(self, job_id: str, file: Path) -> None:
        """Moves what a session of inference wrote to its place, then tells of it."""
        try:
            result = await asyncio.to_thread(stored, file, self._settings.data_dir, job_id)
        except OSError as error:
            await self._fail_to_store(job_id, "file of predictions", error)
        else:
            await self._journal.audit.did("result", job=job_id, output_sha256=result.sha256)
            await self._journal.change(job_id, lambda job: succeed_with(job, result))

    async def _fail_to_store(self, job_id: str, what: str, error: Exception) -> None:
        LOG.error("job %s: its %s cannot be stored", job_id, what, exc_info=error)
        message = f"the {what} cannot be stored; look at the disk of the server"
        await self._fail(job_id, StorageFailed.reason, message)


def tidy(folder: Path) -> None:
    """Leaves of a job's work its last checkpoint, from which another job may go on."""
    checkpoints = sorted((folder / "work" / "recovery").glob("*.dlae"))
    if checkpoints:
        # Two may tidy up at once: who stops a job, and who has followed its worker.
        with suppress(FileNotFoundError):
            checkpoints[-1].replace(folder / CHECKPOINT_FILE)
    shutil.rmtree(folder / "work", ignore_errors=True)


def _is(verdict: Verdict | None, reason: str) -> bool:
    return verdict is not None and verdict.reason == reason


def _is_final(job: Job, verdict: Verdict) -> bool:
    """Returns whether another start would end in the same way: the limit is the job's own."""
    own = verdict.reason == TIME_LIMIT or job.options.memory_limit_bytes > 0
    return verdict.reason in FINAL and own


def _stored(bundle: Path, target: Path, job: Job) -> models_pb2.Model:
    """Moves a bundle to its place; returns it as a model."""
    # What an earlier attempt left there was never told of.
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(exist_ok=True)
    shutil.move(bundle, target)
    model = model_from_bundle(target, job)
    share(target.parent.parent, target, model.files)
    return model
