"""Fake jobs: they train nothing, and end as the names of their models say.

Those whose configuration says `Inference` predict, and leave `PREDICTIONS` behind.

`failing` fails, `endless` runs until it is cancelled or released, all others succeed after two
epochs.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from dlae.v1 import training_pb2 as pb
from dlae.v1.training_pb2_grpc import TrainingServiceServicer

Job = pb.Job
Failure = tuple[int, str, str]
Violations = Sequence[tuple[str, str, str]]

NOT_FOUND, INVALID = code_pb2.NOT_FOUND, code_pb2.INVALID_ARGUMENT
MISTAKES: Violations = (
    ("optimizer.optimizer", "NOT_ALLOWED", "expected Adam or SGD, got 'Adan'"),
    ("layers.serial_layer_list[1].kernel", "WRONG_LENGTH", "expected 2 numbers, got 3"),
)
LATER = ("config_file.type_signal", "NOT_SUPPORTED_YET", "expected Train, got Inference")
EPOCHS = 2
PREDICTIONS = bytes(range(256)) * 5000
CHUNK_BYTES = 1 << 20
LOG = "eine Zeile\nüber Gewebe äöü\n".encode()
DONE = frozenset((Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED))


def abort(context: Any, failure: Failure, violations: Violations = ()) -> NoReturn:
    """Ends a call with a status that carries its details, as the contract says."""
    code, reason, message = failure
    rows = [
        error_details_pb2.BadRequest.FieldViolation(field=path, reason=why, description=text)
        for path, why, text in violations
    ]
    details = [
        error_details_pb2.ErrorInfo(domain="dlae.dev", reason=reason),
        error_details_pb2.BadRequest(field_violations=rows),
    ]
    packed = [any_pb2.Any() for _ in details]
    for box, detail in zip(packed, details, strict=True):
        box.Pack(detail)
    status = status_pb2.Status(code=code, message=message, details=packed)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError


class FakeTraining(TrainingServiceServicer):
    """Jobs whose events are written at once, all but those of endless ones.

    Attributes:
        jobs: By id, the oldest first.
        events: By id of the job.
        requests: Every request to train.
        page: Largest number of jobs on a page.
        failure: Status that `Status` ends with, instead of an answer.
        asked: The last request for a page of jobs.
        seen: Sequence numbers that `Watch` was asked to go on after.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.events: dict[str, list[pb.JobEvent]] = {}
        self.requests: list[pb.TrainRequest] = []
        self.page = 2
        self.failure: Failure | None = None
        self.seen: list[int] = []
        self.asked = pb.ListJobsRequest()
        self._changed = threading.Condition()

    def Validate(self, request: pb.ValidateRequest, context: Any) -> pb.ValidateResponse:
        """Finds two mistakes in a configuration that says `broken`, none in others.

        One that says `later` cannot be trained yet, but has networks.
        """
        if "broken" in request.config.json:
            rows = [pb.Violation(path=a, reason=b, message=c) for a, b, c in MISTAKES]
            return pb.ValidateResponse(valid=False, violations=rows)
        answer = pb.ValidateResponse(
            valid=True,
            warnings=[pb.Violation(path="optimizer.beta_1", reason="UNUSED", message="not used")],
            graphs=[self._graph()],
            memory_bytes=3 << 30,
            seconds_per_step=0.25,
        )
        if "later" in request.config.json:
            answer.valid = False
            answer.violations.add(path=LATER[0], reason=LATER[1], message=LATER[2])
        return answer

    def _graph(self) -> pb.GraphSummary:
        layer = pb.LayerSummary(item=0, type="Dense", output_shape=[2], parameters=130)
        return pb.GraphSummary(
            name="model",
            output_shape=[2],
            parameters=130,
            trainable_parameters=128,
            layers=[layer],
        )

    def Train(self, request: pb.TrainRequest, context: Any) -> pb.TrainResponse:
        """Records a job and, unless it is endless, all that happens to it."""
        if "broken" in request.config.json:
            message = "the configuration has 2 mistakes"
            abort(context, (INVALID, "INVALID_CONFIG", message), MISTAKES)
        self.requests.append(request)
        job = Job(id=f"{request.name}-{len(self.jobs)}", name=request.name, attempt=1)
        job.options.CopyFrom(request.options)
        job.create_time.GetCurrentTime()
        self.jobs[job.id], self.events[job.id] = job, []
        recorded = pb.TrainResponse(job=job)
        self._begin(job)
        if job.name != "endless":
            self.release(job.id)
        return recorded

    def Run(self, request: pb.RunRequest, context: Any) -> pb.RunResponse:
        """Records a job as `Train` does, or one that has predicted."""
        if "Inference" not in request.config.json:
            train = pb.TrainRequest(
                config=request.config, name=request.name, options=request.options
            )
            return pb.RunResponse(job=self.Train(train, context).job)
        job = Job(id=f"{request.name}-{len(self.jobs)}", name=request.name, attempt=1)
        job.kind, job.model = Job.KIND_INFERENCE, "tissue@1"
        job.options.CopyFrom(request.options)
        self.jobs[job.id], self.events[job.id] = job, []
        recorded = pb.RunResponse(job=job)
        self._enter(job, Job.STATE_RUNNING)
        started = pb.InferenceStarted(samples=10, family="FCN", engine="openvino")
        self._add(job, inference_started=started)
        self._add(job, samples_predicted=pb.SamplesPredicted(samples_done=10, samples=10))
        job.progress.CopyFrom(pb.Progress(step=10, steps=10))
        job.results.add(
            name="predictions.h5",
            size_bytes=len(PREDICTIONS),
            sha256=hashlib.sha256(PREDICTIONS).hexdigest(),
        )
        self._enter(job, Job.STATE_SUCCEEDED)
        return recorded

    def FetchResult(
        self, request: pb.FetchResultRequest, context: Any
    ) -> Iterator[pb.FetchResultResponse]:
        """Streams predictions in chunks."""
        (file,) = self._job(request.job_id, context).results
        for start in range(request.offset, len(PREDICTIONS), CHUNK_BYTES):
            data = PREDICTIONS[start : start + CHUNK_BYTES]
            yield pb.FetchResultResponse(file=file.name, offset=start, data=data)

    def Status(self, request: pb.StatusRequest, context: Any) -> pb.StatusResponse:
        """Returns a job, or the failure that is set."""
        if self.failure:
            abort(context, self.failure)
        return pb.StatusResponse(job=self._job(request.job_id, context))

    def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """Returns pages of `page` jobs."""
        self.asked = request
        jobs = list(reversed(self.jobs.values()))
        start = int(request.page_token or 0)
        end = start + self.page
        token = str(end) if end < len(jobs) else ""
        return pb.ListJobsResponse(jobs=jobs[start:end], next_page_token=token)

    def Watch(self, request: pb.WatchRequest, context: Any) -> Iterator[pb.WatchResponse]:
        """Streams events as they come, a heartbeat before each."""
        job = self._job(request.job_id, context)
        self.seen.append(request.after_sequence)
        at = request.after_sequence
        while context.is_active():
            for event in self.events[job.id][at:]:
                yield pb.WatchResponse()
                yield pb.WatchResponse(event=event)
                at = event.sequence
            if job.state in DONE and at == len(self.events[job.id]):
                return
            with self._changed:
                self._changed.wait(0.02)

    def Cancel(self, request: pb.CancelRequest, context: Any) -> pb.CancelResponse:
        """Cancels a job that has not ended."""
        job = self._job(request.job_id, context)
        if job.state in DONE:
            message = f"the job {job.id} has ended"
            abort(context, (code_pb2.FAILED_PRECONDITION, "JOB_FINISHED", message))
        self._enter(job, Job.STATE_CANCELLED)
        return pb.CancelResponse(job=job)

    def Pause(self, request: pb.PauseRequest, context: Any) -> pb.PauseResponse:
        """Pauses a job."""
        job = self._job(request.job_id, context)
        self._enter(job, Job.STATE_PAUSED)
        return pb.PauseResponse(job=job)

    def Resume(self, request: pb.ResumeRequest, context: Any) -> pb.ResumeResponse:
        """Has a job wait again."""
        job = self._job(request.job_id, context)
        self._enter(job, Job.STATE_QUEUED)
        return pb.ResumeResponse(job=job)

    def DeleteJob(self, request: pb.DeleteJobRequest, context: Any) -> pb.DeleteJobResponse:
        """Deletes a job that has ended."""
        job = self._job(request.job_id, context)
        if job.state not in DONE:
            message = f"job '{job.id}' has not ended"
            abort(context, (code_pb2.FAILED_PRECONDITION, "JOB_BUSY", message))
        del self.jobs[job.id]
        return pb.DeleteJobResponse(job=job)

    def Logs(self, request: pb.LogsRequest, context: Any) -> Iterator[pb.LogsResponse]:
        """Streams a log in pieces that end within letters, a heartbeat between them."""
        self._job(request.job_id, context)
        for start in range(request.offset, len(LOG), 7):
            yield pb.LogsResponse(offset=start, data=LOG[start : start + 7])
            yield pb.LogsResponse(offset=start + 7)

    def release(self, job_id: str) -> None:
        """Lets a running job end."""
        job = self.jobs[job_id]
        if job.name == "failing":
            state = Job.STATE_FAILED
            job.error.reason, job.error.message = "TRAINING_DIVERGED", "the loss is NaN"
        else:
            state = Job.STATE_SUCCEEDED
            self._epoch(job, 2)
            job.metrics.update({"loss": 0.41, "val_dice": 0.82})
            job.model = f"{job.name}@1"
            self._add(job, model_saved=pb.ModelSaved(model=job.model))
        self._enter(job, state)

    def _begin(self, job: Job) -> None:
        self._enter(job, Job.STATE_QUEUED)
        self._enter(job, Job.STATE_RUNNING)
        started = pb.TrainingStarted(epochs=EPOCHS, steps=4, parameters=130, device="cpu")
        self._add(job, training_started=started)
        self._epoch(job, 1)

    def _epoch(self, job: Job, epoch: int) -> None:
        progress = pb.Progress(epoch=epoch, epochs=EPOCHS, step=4, steps=4)
        job.progress.CopyFrom(progress)
        self._add(job, step_finished=pb.StepFinished(progress=progress, metrics={"loss": 0.5}))
        metrics = {"loss": 0.41, "val_dice": 0.82}
        told = pb.EpochFinished(progress=progress, metrics=metrics)
        told.duration.FromMilliseconds(1200)
        self._add(job, epoch_finished=told)

    def _enter(self, job: Job, state: "Job.State") -> None:
        job.state = state
        self._add(job, state_changed=pb.StateChanged(state=state))

    def _add(self, job: Job, **kind: Any) -> None:
        events = self.events[job.id]
        job.last_sequence = len(events) + 1
        with self._changed:
            events.append(pb.JobEvent(sequence=job.last_sequence, **kind))
            self._changed.notify_all()

    def _job(self, job_id: str, context: Any) -> Job:
        if job_id not in self.jobs:
            abort(context, (NOT_FOUND, "JOB_NOT_FOUND", f"there is no job '{job_id}'"))
        return self.jobs[job_id]
