"""The server's own errors, beside those of the engine.

DlaeError
├─ InvalidRequest      the request itself: a name, a token, a missing part
├─ InvalidStream       chunks that are no tensor, or no file
├─ JobNotFound, ModelNotFound, ResultNotFound
├─ JobFinished         cancelling or pausing what has ended
├─ JobBusy             what cannot be done with a job in its present state
├─ RequestIdInUse      a request id under which something else was asked for
├─ ModelInUse          deleting what an alias or a job needs
├─ DatasetNotFound, DatasetInUse
├─ QuotaExceeded       more data than the server may keep
├─ UploadStalled       nothing more comes of an upload
├─ NoEarlierVersion    rolling back an alias that has meant nothing else
├─ QueueFull           too much is waiting
│  └─ CallerLimit, ... see `access/errors.py`
├─ TensorTooLarge      more than the server takes
├─ OutOfTime           a prediction took longer than its request allows
├─ ModelProcessDied    the process of a loaded model ended
├─ ShuttingDown        the server is stopping
├─ Unauthenticated     it is not known who calls
│  └─ CredentialsMissing, TokenInvalid, CredentialsExpired
├─ PermissionDenied    it is known, and not allowed
│  └─ ProjectDenied    not in this project
└─ CannotStart         the server cannot start as it was asked to
"""

from dlae_core.errors import DlaeError


class InvalidRequest(DlaeError):
    """A request that cannot be understood."""


class InvalidStream(DlaeError):
    """Chunks that do not add up to the tensor that was announced."""


class JobNotFound(DlaeError):
    """There is no such job."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job '{job_id}'; `dlae-client status` lists the jobs")


class ModelNotFound(DlaeError):
    """There is no such model."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"there is no model '{reference}'; `dlae-client models` lists the models")


class ResultNotFound(DlaeError):
    """A job has written no such file."""

    def __init__(self, job_id: str, name: str) -> None:
        what = f"file '{name[:80]}'" if name else "file"
        super().__init__(
            f"job '{job_id}' has no {what} of predictions: it trains, or has not succeeded; "
            f"`dlae-client status {job_id}` tells"
        )


class JobFinished(DlaeError):
    """The job has ended."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job '{job_id}' has ended already, {state}")


class JobBusy(DlaeError):
    """The job is in a state, or in use, that does not allow what was asked for."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"job '{job_id}' {why}")


class RequestIdInUse(DlaeError):
    """Something else was asked for under this request id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"the request id belongs to another request, which made job '{job_id}'; choose a new "
            "one for what is not a repetition"
        )


class ModelInUse(DlaeError):
    """An alias or a job needs the model."""

    def __init__(self, model: str, users: list[str]) -> None:
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        super().__init__(
            f"{users[0]}{more} needs the model '{model}'; move the alias, wait for the job, or "
            "delete it with force"
        )


class DatasetNotFound(DlaeError):
    """There is no such data file."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"there is no data file '{reference[:80]}'; `dlae-client datasets list` lists them"
        )


class DatasetInUse(DlaeError):
    """A job or a model needs the data file."""

    def __init__(self, reference: str, users: list[str]) -> None:
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        mending = (
            "wait for it or cancel it"
            if users[0].startswith("job")
            else "with force the model keeps its SHA-256 only"
        )
        super().__init__(f"{users[0]}{more} needs the data file '{reference}'; {mending}")


class QuotaExceeded(DlaeError):
    """More data than the server may keep."""

    def __init__(self, size_bytes: int, kept_bytes: int, limit_bytes: int, unused: str) -> None:
        mending = f"delete {unused}" if unused else "wait for a job that needs data, and delete it"
        super().__init__(
            f"expected data files of at most {limit_bytes} bytes in all, got {size_bytes} more "
            f"than the {kept_bytes} that are kept; {mending}"
        )


class UploadStalled(DlaeError):
    """Nothing more comes of an upload."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:.0f} s; go on with what is there")


class NoEarlierVersion(DlaeError):
    """The alias has meant no other version that is still there."""

    def __init__(self, alias: str) -> None:
        super().__init__(
            f"'{alias}' has meant no other version that is still there; "
            "`dlae-client models history` shows what it meant"
        )


class QueueFull(DlaeError):
    """Too much is waiting.

    Attributes:
        retry_seconds: After which time it is worth trying again.
    """

    def __init__(self, what: str, limit: int, retry_seconds: float = 1.0) -> None:
        self.retry_seconds = min(max(retry_seconds, 0.05), 60.0)
        super().__init__(f"{limit} {what} are waiting already; try again later")


class TensorTooLarge(DlaeError):
    """More than the server takes."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"expected a tensor of at most {limit_bytes} bytes, got {size_bytes}; send fewer images"
        )


class OutOfTime(DlaeError):
    """A prediction took longer than its request allows."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the prediction took longer than the {seconds:g} s that were allowed")


class ModelProcessDied(DlaeError):
    """The process of a loaded model ended."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the process of model '{model}' ended; it is started anew, try again")


class ShuttingDown(DlaeError):
    """The server is stopping."""

    def __init__(self) -> None:
        super().__init__("the server is stopping; try again when it runs")


class Unauthenticated(DlaeError):
    """It is not known who calls."""


class CredentialsMissing(Unauthenticated):
    """Neither a token came nor a certificate that has a scope."""

    def __init__(self, certificate: str = "") -> None:
        told = (
            f"the certificate of '{certificate[:80]}', which has no scope here"
            if (certificate)
            else "none"
        )
        super().__init__(
            f"expected a token, got {told}; set DLAE_TOKEN or use --token-file, and ask whoever "
            "runs the server for one (`dlae-server token create`)"
        )


class TokenInvalid(Unauthenticated):
    """A token of no use here: unknown, revoked, or no token."""

    def __init__(self) -> None:
        super().__init__(
            "expected a token of this server, got one that it does not know or that was revoked; "
            "ask whoever runs the server for another"
        )


class CredentialsExpired(Unauthenticated):
    """A token, or the scope of a certificate, past its time."""

    def __init__(self) -> None:
        super().__init__(
            "the token has expired; ask whoever runs the server for another "
            "(`dlae-server token create`)"
        )


class PermissionDenied(DlaeError):
    """Who calls is known, and may not.

    Attributes:
        name: Of the token or the certificate.
    """

    def __init__(self, method: str, name: str, scope: str, least: str) -> None:
        self.name = name
        call = method.rpartition("/")[2]
        super().__init__(
            f"expected the scope '{least}' for {call}, got '{name}' with the scope '{scope}'; ask "
            "whoever runs the server for a token with more"
        )


class ProjectDenied(PermissionDenied):
    """Who calls is known, and may not in this project, of which nothing is told."""

    def __init__(self, name: str, projects: tuple[str, ...], asked: str) -> None:
        self.name = name
        DlaeError.__init__(
            self,
            f"expected a project of '{name}', {', '.join(projects)}, got '{asked[:60]}'; ask "
            "whoever runs the server for a token that holds there",
        )


class CannotStart(DlaeError):
    """The server cannot start as it was asked to."""
