"""Runs all benchmarks: `python -m benchmarks`. Each prints lines of JSON."""

from importlib import import_module

BENCHMARKS = (
    "access",
    "adversarial_step",
    "audit",
    "augmentation",
    "cluster",
    "config_reading",
    "cost_estimate",
    "detection",
    "detector_feeding",
    "engine_overhead",
    "engine_precisions",
    "engines",
    "feeding",
    "jobs",
    "loading",
    "peak_memory",
    "precision_accuracy",
    "predict_round_trip",
    "predict_throughput",
    "reading",
    "registry",
    "training_peers",
    "training_step",
    "volume_stream",
    "upload",
)

for name in BENCHMARKS:
    import_module(f"benchmarks.{name}").main()
