"""The server's settings, typed."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the server is told when it starts.

    Attributes:
        listen: `host:port`; port 0 takes any free one.
        data_dir: Folder of jobs and models.
        data_roots: Folders whose files configurations may name.
        project_roots: Those of one project only, each with its project.
        calls_per_caller: Calls of one caller, who has proved a name, at once; None: any.
        calls_per_second: The same in a second, twice as many at once; None: any.
        bytes_per_caller: Length of all requests of one caller that are being answered; None: any.
        stream_silence_seconds: How long nothing may come of a stream, or be taken of one.
        oidc_issuer: URL of who issues tokens of OpenID Connect; None: nobody.
        oidc_audience: For whom they are to be issued.
        oidc_claims: Where a token has its caller's name, scope and projects; dots lead inwards.
        memory_bytes: Memory that has to be available where a job is to come or a model to load.
        metrics_port: Port of `/metrics`; 0 takes any free one, None switches it off.
        rest_address: `host:port` of the Open Inference Protocol over HTTP; None: nowhere.
        rest_body_seconds: How long the body of a request over HTTP may take to come.
        weights_dir: Folder of ImageNet weights; None: `weights` in the data folder.
        queued_jobs: Jobs that may wait.
        validations: Validations that may run at once.
        reserve_seconds: How long after a validation a worker waits for the next; 0: not at all.
        loaded_models: Models that may be loaded at once, besides those that are pinned.
        model_bytes: Memory that the processes of loaded models may have when another is loaded, as
            long as there is one to unload that is not pinned; None: any.
        pinned: References to models that are always loaded.
        engine: What runs them; None: the fastest that can.
        engine_threads: That each may use; None: its share of the cores.
        pending_predictions: Predictions of one model that may wait.
        message_bytes: Largest message.
        tensor_bytes: Largest tensor, in chunks.
        volumes_bytes: Length of all large tensors that are being predicted.
        free_bytes: Disk space below which no job is accepted.
        heartbeat_seconds: Time between heartbeats of a quiet watch.
        running_jobs: Jobs that may run at once; where there are several, each has its share.
        queued_jobs_per_user: Jobs of one user that may wait; None: as many as of all.
        running_jobs_per_user: Jobs of one user that may run at once; None: as many as of all.
        gpus: GPUs that jobs may have, as CUDA names them; None: those that are there.
        silent_seconds: How long a worker may tell nothing and do nothing before it is replaced; 0:
            for ever.
        grace_seconds: How long a worker may take to its next step when its job is out of time or
            cancelled.
        retention_days: How long jobs are kept after their end; None: until they are deleted.
        reserve_at_start: Whether a worker waits for a task from the beginning.
        dataset_bytes: Length of all data files that clients bring; None: as the disk has room.
        upload_silence_seconds: How long an upload may bring nothing before it is ended.
        tls_certificate: Certificate of the server, in PEM, with those it was signed with; None: it
            serves without TLS.
        tls_key: Its private key.
        tls_client_ca: Who signs the certificates that clients must prove; None: they need none.
        require_tokens: Whether calls need credentials where no token has ever been made.
        metrics_host: Address of `/metrics`; None: that of `listen` where only this machine can
            reach it, else 127.0.0.1.
        audit: Whether there is an audit log.
        audit_key: File of the key that signs it; None: it is not signed.
        audit_predictions: Whether every prediction is recorded with its output.
        audit_when_full: What becomes of calls that cannot be recorded: `refuse` or `go-on`.
        audit_segment_bytes: Length from which on a file of the log is followed by another.
        executor: Where jobs run: `local` or `ray`.
        ray_address: Of the Ray cluster.
        ray_cores: Cores on the cluster of a job that asks for none.
        ray_store: Object store through which files of jobs go; None: a folder that nodes share.
    """

    listen: str
    data_dir: Path
    data_roots: tuple[Path, ...]
    metrics_port: int | None = 9090
    weights_dir: Path | None = None
    queued_jobs: int = 10_000
    validations: int = 2
    reserve_seconds: float = 600.0
    loaded_models: int = 2
    model_bytes: int | None = None
    pinned: tuple[str, ...] = ()
    engine: str | None = None
    engine_threads: int | None = None
    pending_predictions: int = 64
    message_bytes: int = 64 << 20
    tensor_bytes: int = 4 << 30
    volumes_bytes: int = 6 << 30
    free_bytes: int = 200 << 20
    heartbeat_seconds: float = 15.0
    running_jobs: int = 1
    queued_jobs_per_user: int | None = None
    running_jobs_per_user: int | None = None
    gpus: tuple[str, ...] | None = None
    silent_seconds: float = 900.0
    grace_seconds: float = 120.0
    retention_days: float | None = None
    reserve_at_start: bool = False
    rest_address: str | None = None
    rest_body_seconds: float = 60.0
    dataset_bytes: int | None = None
    upload_silence_seconds: float = 20.0
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    require_tokens: bool = False
    metrics_host: str | None = None
    audit: bool = True
    audit_key: Path | None = None
    audit_predictions: bool = False
    audit_when_full: str = "refuse"
    audit_segment_bytes: int = 64 << 20
    project_roots: tuple[tuple[str, Path], ...] = ()
    calls_per_caller: int | None = 256
    calls_per_second: float | None = 2000.0
    bytes_per_caller: int | None = 8 << 30
    stream_silence_seconds: float = 60.0
    memory_bytes: int = 256 << 20
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_claims: tuple[str, str, str] = ("sub", "dlae_scope", "dlae_projects")
    executor: str = "local"
    ray_address: str = "auto"
    ray_cores: int = 1
    ray_store: str | None = None

    def roots_of(self, project: str) -> tuple[Path, ...]:
        """Returns the folders whose files configurations of a project may name."""
        return (*self.data_roots, *(root for own, root in self.project_roots if own == project))

    @property
    def weights_folder(self) -> Path:
        """Folder of ImageNet weights."""
        return self.weights_dir or self.data_dir / "weights"
