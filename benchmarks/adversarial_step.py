"""Question: what does training both sides of a GAN in one step save?

pix2pix of a U-Net of four levels and a discriminator of patches, images of 64 x 64 and 128 x 128,
batches of 1 and 8, which lie in memory. The peer is what DLAE 1.0 did with Keras:
`predict_on_batch` for the images to judge, `train_on_batch` of the discriminator on true images, on
made ones, and of the combined model. Both take turns; speeds are those of the fastest turns,
`of_medians` of the quietest third of the rounds.
"""

import json
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.quiet import (
    Timed,
    fastest_ratio,
    median_load,
    median_ratio,
    quietest,
    settle,
    timed,
)
from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.families.pix2pix import combined
from dlae_core.monitors import LossParts, Monitors
from dlae_core.steps import Adversaries, ImagePool, Pix2PixSteps
from dlae_core.validation import checked_networks

ROUNDS, RATE, WEIGHT = 9, 2e-4, 100.0
GOAL = 1.5

Turn = Callable[[], object]


def main() -> None:
    """Measures and prints all speeds."""
    for side, batch, steps in ((64, 1, 40), (64, 8, 10), (128, 1, 16), (128, 8, 3)):
        images, targets = _batches(side, batch, steps)
        config = _config(side)
        turns = {
            "fused": _fused(config, images, targets),
            "separate": _separate(config, images, targets),
        }
        for turn in turns.values():
            turn()
        rounds = [_round(turns, number % 2 == 1) for number in range(ROUNDS)]
        quiet = quietest(rounds, *turns)
        fastest = {name: min(one[name].seconds for one in rounds) / steps for name in turns}
        print(
            json.dumps(
                {
                    "benchmark": f"adversarial_step_{side}_batch_{batch}",
                    **{f"{name}_ms": round(1000 * one, 2) for name, one in fastest.items()},
                    "ratio": round(fastest_ratio(rounds, "separate", "fused"), 3),
                    "of_medians": round(median_ratio(quiet, "separate", "fused"), 3),
                    "foreign_cores": round(median_load(quiet, "separate", "fused"), 2),
                    "goal": GOAL,
                }
            )
        )


def _round(turns: dict[str, Turn], backwards: bool) -> dict[str, Timed]:
    settle()
    order = list(turns.items())
    return {name: timed(turn) for name, turn in (reversed(order) if backwards else order)}


def _fused(config: Config, images: np.ndarray, targets: np.ndarray) -> Turn:
    models = [network.model for network in checked_networks(config)]
    optimizers = [keras.optimizers.Adam(RATE, beta_1=0.5) for _ in range(2)]
    adversaries = Adversaries(models, optimizers, [ImagePool(0, (), 0)])
    steps = Pix2PixSteps(adversaries, (WEIGHT,), LossParts((), Monitors([])))

    def turn() -> None:
        for x, y in zip(images, targets, strict=True):
            steps.train(x, y, (RATE, RATE))

    return turn


def _separate(config: Config, images: np.ndarray, targets: np.ndarray) -> Turn:
    generator, discriminator = (network.model for network in checked_networks(config))
    discriminator.compile(keras.optimizers.Adam(RATE, beta_1=0.5), "mse")
    discriminator.make_train_function()
    discriminator.trainable = False
    both = combined(generator, discriminator)
    both.compile(keras.optimizers.Adam(RATE, beta_1=0.5), ["mse", "mae"], loss_weights=[1, WEIGHT])
    discriminator.trainable = True
    patches = discriminator.output_shape[1:]
    valid, fake = (np.full((images.shape[1], *patches), one, np.float32) for one in (1, 0))

    def turn() -> None:
        for x, y in zip(images, targets, strict=True):
            made = generator.predict_on_batch(x)
            discriminator.train_on_batch([y, x], valid)
            discriminator.train_on_batch([made, x], fake)
            both.train_on_batch([y, x], [valid, y])

    return turn


def _batches(side: int, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    shape = (steps, batch, side, side, 1)
    return random.random(shape, np.float32), random.random(shape, np.float32)


def _config(side: int) -> Config:
    image, levels = f"Input:({side}, {side}, 1)", (32, 64, 128)
    generator, discriminator = [image], [image]
    for filters in levels:
        generator += [f"Convolution 2D:{filters}:(3, 3)", "Leaky reLU:0.2", "Outer skip source"]
        generator += [f"Convolution 2D:{filters}:(4, 4):(2, 2)", "Batch normalization"]
        discriminator += [f"Convolution 2D:{filters}:(4, 4):(2, 2)", "Leaky reLU:0.2"]
    for filters in reversed(levels):
        generator += [f"Resize convolution 2D:{filters}:(3, 3)", "Batch normalization"]
        generator += ["Activation:relu", "Outer skip target"]
    sections = {
        "config_file": {"model_signal": "GAN"},
        "paths": {"train_X": "X.h5", "train_y": "y.h5"},
        "loss_function": {"loss": "pix2pix"},
        "layers": {
            "generator_layer_list": [*generator, "Convolution 2D:1:(1, 1)", "Activation:tanh"],
            "discriminator_layer_list": [*discriminator, "Convolution 2D:1:(4, 4)"],
        },
    }
    return load_config(json.dumps(sections)).config


if __name__ == "__main__":
    main()
