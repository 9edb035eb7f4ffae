"""Every metric of the service, on one page. Labels come from closed sets, never from data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

import dlae

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_STAGES = (0.0001, 0.0005, *_LATENCIES[:-2])
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
_DURATIONS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
_RPC = ("grpc_type", "grpc_service", "grpc_method")


@dataclass(frozen=True)
class InferenceMetrics:
    """What every call of an engine is counted in, found once.

    Attributes:
        queue: Waits of single predictions for the engine.
        input: Times of handing images to the engine.
        infer: Times of the engine, with preparation and post-processing.
        output: Times of taking its output.
        batch_size: Images per call.
    """

    queue: Histogram
    input: Histogram
    infer: Histogram
    output: Histogram
    batch_size: Histogram


@dataclass
class Metrics:
    """The metrics, registered in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Registers every metric."""
        self._register_calls(self.registry)
        self._register_jobs(self.registry)
        self._register_models(self.registry)
        self._register_engines(self.registry)

    def _register_calls(self, to: CollectorRegistry) -> None:
        self._shown: dict[str, set[tuple[str, str]]] = {}
        self.build = Info("dlae_build", "Version of DLAE", registry=to)
        self.build.info({"version": dlae.__version__})
        self.rpc_started = Counter("grpc_server_started", "RPCs begun", _RPC, registry=to)
        self.rpc_handled = Counter(
            "grpc_server_handled", "RPCs ended", (*_RPC, "grpc_code"), registry=to
        )
        self.rpc_seconds = Histogram(
            "grpc_server_handling_seconds", "Time of RPCs", _RPC, buckets=_LATENCIES, registry=to
        )

        self.refused = Counter(
            "dlae_refused", "Calls refused, by what there was too little of", ("what",), registry=to
        )
        self.disk_free = Gauge(
            "dlae_disk_free_bytes", "Free space of the data folder's disk", registry=to
        )
        self.memory_available = Gauge(
            "dlae_memory_available_bytes", "Memory that processes may still have", registry=to
        )

    def _register_jobs(self, to: CollectorRegistry) -> None:
        self.jobs = Gauge("dlae_jobs", "Jobs by state", ("kind", "state"), registry=to)
        self.transitions = Counter(
            "dlae_job_transitions", "Entries into a state", ("kind", "to"), registry=to
        )
        self.queue_wait = Histogram(
            "dlae_job_queue_wait_seconds", "Wait for a worker", buckets=_DURATIONS, registry=to
        )
        self.job_duration = Histogram(
            "dlae_job_duration_seconds",
            "Time from start to end",
            ("kind", "outcome"),
            buckets=_DURATIONS,
            registry=to,
        )
        self.steps = Counter("dlae_train_steps", "Training steps", registry=to)
        self.epochs = Counter("dlae_train_epochs", "Training epochs", registry=to)
        self.samples = Counter("dlae_train_samples", "Training samples", registry=to)
        self.train_metric = Gauge(
            "dlae_train_metric",
            "Latest metrics of running jobs",
            ("job", "split", "name"),
            registry=to,
        )

    def _register_models(self, to: CollectorRegistry) -> None:
        self.predictions = Counter(
            "dlae_inference_requests", "Predictions", ("model", "version", "code"), registry=to
        )
        self.prediction_seconds = Histogram(
            "dlae_inference_duration_seconds",
            "Time of predictions",
            ("model",),
            buckets=_LATENCIES,
            registry=to,
        )
        self.pending = Gauge("dlae_inference_pending", "Predictions waiting", registry=to)
        self.loaded = Gauge("dlae_model_loaded", "Loaded models", ("model", "version"), registry=to)
        self.load_seconds = Histogram(
            "dlae_model_load_duration_seconds", "Time to load", buckets=_LATENCIES, registry=to
        )
        self.memory = Gauge(
            "dlae_model_memory_bytes",
            "Memory in use by the processes of loaded models",
            ("model", "version"),
            registry=to,
        )
        self.restarts = Counter(
            "dlae_worker_restarts", "Worker processes that died", ("reason",), registry=to
        )

    def _register_engines(self, to: CollectorRegistry) -> None:
        stages = Histogram(
            "dlae_inference_stage_seconds",
            "Time of predictions in the queue, and of calls of the engine by stage",
            ("stage",),
            buckets=_STAGES,
            registry=to,
        )
        batch_size = Histogram(
            "dlae_inference_batch_size",
            "Images per call of the engine",
            buckets=_BATCHES,
            registry=to,
        )
        self.inference = InferenceMetrics(
            **{name: stages.labels(name) for name in ("queue", "input", "infer", "output")},
            batch_size=batch_size,
        )

    def show_training(self, job_id: str, metrics: Mapping[str, float]) -> None:
        """Shows the latest metrics of a running job."""
        for name, value in metrics.items():
            split, short = ("validation", name[4:]) if name.startswith("val_") else ("train", name)
            self.train_metric.labels(job_id, split, short).set(value)
            self._shown.setdefault(job_id, set()).add((split, short))

    def forget_training(self, job_id: str) -> None:
        """Removes the series of a job that has ended."""
        for split, name in self._shown.pop(job_id, set()):
            self.train_metric.remove(job_id, split, name)
