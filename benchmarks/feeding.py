"""Question: does the pipeline keep up with the training step, and does it use all cores?

Where the step is slower: one small U-Net is trained on 128 x 128 images with masks, batch 8, fed by
the pipeline, which reads every sample from disk and rotates, shifts, shears, zooms and flips it;
and fed with finished batches that lie in memory. Where the pipeline is slower: it prepares images
of 512 x 512 with masks, from memory, in the same way with nobody training, on one thread per core,
and in the consumer's own thread alone. Both sides take turns. Other
programs only ever add time, so the ratio is that of the fastest epochs; `ratio_of_medians` is of
the quietest third, and `foreign_cores` what other programs used then.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import keras
import numpy as np

from benchmarks.networks import config_text, write_data
from benchmarks.quiet import (
    Timed,
    fastest_ratio,
    median_load,
    median_ratio,
    median_seconds,
    quietest,
    settle,
    timed,
)
from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.ahead import cores
from dlae_core.data.pipeline import Batch, Pipeline
from dlae_core.data.source import write_samples
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks

TRAINED, PREPARED = 32, 96
SIDE = 512
ROUNDS = 21
STEP_GOAL, CORES_GOAL = 0.95, 0.9


def main() -> None:
    """Measures and prints both ratios."""
    step, pipeline = measure_step(), measure_pipeline()
    cases = (
        ("step_bound", TRAINED, step, "memory", "pipeline", 1, STEP_GOAL),
        ("pipeline_bound", PREPARED, pipeline, "one", "all", cores(), CORES_GOAL),
    )
    for name, count, rounds, peer, way, share, goal in cases:
        quiet = quietest(rounds, peer, way)
        print(
            json.dumps(
                {
                    "benchmark": f"feeding_{name}",
                    "samples_per_second": round(count / median_seconds(quiet, way), 1),
                    "peer_samples_per_second": round(count / median_seconds(quiet, peer), 1),
                    "ratio": round(fastest_ratio(rounds, peer, way) / share, 3),
                    "ratio_of_medians": round(median_ratio(quiet, peer, way) / share, 3),
                    "foreign_cores": round(median_load(quiet, peer, way), 2),
                    "goal": goal,
                }
            )
        )


def measure_step() -> list[dict[str, Timed]]:
    """Returns what an epoch of training takes, fed by the pipeline and from memory."""
    with tempfile.TemporaryDirectory() as scratch:
        write_data(Path(scratch), TRAINED)
        config = varied(load_config(config_text(Path(scratch), 1)).config)
        # Nothing is kept: every sample is read from disk every time.
        config.training_configurations.data_memory = 0
        model = checked_networks(config)[0].model
        model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy")
        with opened(config) as pipeline:
            kept = list(pipeline.batches(0))
            return alternating(
                memory=lambda _: train(model, kept),
                pipeline=lambda epoch: train(model, pipeline.batches(epoch)),
            )


def measure_pipeline() -> list[dict[str, Timed]]:
    """Returns what an epoch of preparing takes, with one thread per core and with none."""
    with tempfile.TemporaryDirectory() as scratch:
        write_large_data(Path(scratch), PREPARED)
        config = varied(load_config(config_text(Path(scratch), 1)).config)
        config.layers.serial_layer_list[0].input.shape[:] = [SIDE, SIDE, 1]
        alone = Config()
        alone.CopyFrom(config)
        alone.training_configurations.data_threads = 0
        with opened(config) as every, opened(alone) as one:
            return alternating(
                one=lambda epoch: consume(one.batches(epoch)),
                all=lambda epoch: consume(every.batches(epoch)),
            )


def varied(config: Config) -> Config:
    """Returns a configuration with augmentation."""
    config.augmentation.apply_augmentation_switch = True
    config.augmentation.rotation_range = 15
    config.augmentation.width_shift = config.augmentation.height_shift = 0.1
    config.augmentation.shear_range = 5
    config.augmentation.zoom_range = 0.1
    config.augmentation.horizontal_flip_switch = True
    config.augmentation.vertical_flip_switch = True
    return config


@contextmanager
def opened(config: Config) -> Iterator[Pipeline]:
    """Opens the training samples of a configuration."""
    with open_training_data(config, checked_networks(config)[0]) as data:
        yield data.training


def write_large_data(folder: Path, count: int) -> None:
    """Writes images of 512 x 512 with masks."""
    random = np.random.default_rng(1)
    images = random.random((count, SIDE, SIDE, 1), np.float32)
    for name, arrays in (("X.h5", images), ("y.h5", (images > 0.5).astype(np.uint8))):
        write_samples(folder / name, [(str(index), one) for index, one in enumerate(arrays)])


def train(model: keras.Model, batches: Iterable[Batch]) -> None:
    """Trains on batches, one step each."""
    for batch in batches:
        model.train_on_batch(batch.images, batch.targets)


def consume(batches: Iterable[Batch]) -> None:
    """Takes batches and does nothing."""
    for _ in batches:
        pass


def alternating(**ways: Callable[[int], None]) -> list[dict[str, Timed]]:
    """Returns what an epoch takes, by round and way; every other round in reverse order."""
    rounds = []
    for epoch in range(ROUNDS + 1):
        names = sorted(ways, reverse=epoch % 2 == 0)
        settle()
        rounds.append({name: timed(partial(ways[name], epoch)) for name in names})
    # The first round compiles.
    return rounds[1:]


if __name__ == "__main__":
    main()
