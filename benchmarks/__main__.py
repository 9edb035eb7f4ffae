"""Runs all benchmarks: `python -m benchmarks`. Each prints one line of JSON."""

from benchmarks import engine_overhead, predict_round_trip

for benchmark in (engine_overhead, predict_round_trip):
    benchmark.main()
