"""Runs all benchmarks: `python -m benchmarks`. Each prints lines of JSON."""

from benchmarks import (
    adversarial_step,
    augmentation,
    config_reading,
    cost_estimate,
    detection,
    detector_feeding,
    engine_overhead,
    engines,
    feeding,
    jobs,
    peak_memory,
    predict_round_trip,
    reading,
    registry,
    training_peers,
    training_step,
    upload,
)

for benchmark in (
    adversarial_step,
    augmentation,
    config_reading,
    cost_estimate,
    detection,
    detector_feeding,
    engine_overhead,
    engines,
    feeding,
    jobs,
    peak_memory,
    predict_round_trip,
    reading,
    registry,
    training_peers,
    training_step,
    upload,
):
    benchmark.main()
