"""Runs all benchmarks: `python -m benchmarks`. Each prints one line of JSON."""

from benchmarks import config_reading, engine_overhead, predict_round_trip

for benchmark in (config_reading, engine_overhead, predict_round_trip):
    benchmark.main()
