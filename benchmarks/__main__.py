"""Runs all benchmarks: `python -m benchmarks`. Each prints one line of JSON."""

from benchmarks import augmentation, config_reading, engine_overhead, predict_round_trip

for benchmark in (augmentation, config_reading, engine_overhead, predict_round_trip):
    benchmark.main()
