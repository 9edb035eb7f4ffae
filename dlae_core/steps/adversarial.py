"""Steps of GANs: discriminators and generators updated by one call per batch.

In each step the generators run once. The discriminators are updated first, on true images and on
made ones, which may come from a pool; then the generators, through the discriminators as they are
by then.

Differs: DLAE 1.0 ran the generators twice, in inference mode for the discriminators' sake, and
updated a discriminator twice, on true and on made images; here both losses add up to one update.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dlae_core.losses.adversarial import (
    MADE,
    TRUE,
    GeneratorLoss,
    cyclegan,
    least_squares,
    pix2pix,
)
from dlae_core.losses.reduction import full_precision
from dlae_core.monitors import LossParts
from dlae_core.steps.compiled import Float32, Steps
from dlae_core.steps.pool import ImagePool

# What is told: the generators' loss and its parts, what came of judging. Names of DLAE 1.0.
PARTS = ("g_loss", "g_adv", "g_recon", "g_identity", "d_loss", "d_acc")
# One less than this counts as found to be made.
_HALF = 0.5


@dataclass(frozen=True)
class Adversaries:
    """What learns.

    Attributes:
        models: The generators, then as many discriminators.
        optimizers: Of all generators together, then of each discriminator.
        pools: One for each discriminator.
    """

    models: Sequence[keras.Model]
    optimizers: Sequence[keras.optimizers.Optimizer]
    pools: Sequence[ImagePool]

    def of_discriminator(self, number: int) -> "Discriminator":
        """Returns a discriminator with all that it needs, from 0."""
        half = len(self.models) // 2
        model, optimizer = self.models[half + number], self.optimizers[1 + number]
        return Discriminator(model, optimizer, self.pools[number])


class Verdict(NamedTuple):
    """What came of judging a batch: the mean of both losses, and the share that was right."""

    loss: Any
    accuracy: Any


class Discriminator:
    """Tells true images from made ones, and learns it.

    What it is shown is float32 (batch, *space, channels); where its network has two inputs, both
    lie in the channels, one after the other.
    """

    def __init__(self, model: keras.Model, optimizer: Any, pool: ImagePool) -> None:
        self.model = model
        self._optimizer = optimizer
        self._pool = pool
        optimizer.build(model.trainable_variables)

    def __call__(self, shown: Any, training: bool) -> Any:
        """Returns what the network says of images, (batch, *patches, 1)."""
        channels = [given.shape[-1] for given in self.model.inputs]
        parts = tf.split(shown, channels, axis=-1) if len(channels) > 1 else shown
        return self.model(parts, training=training)

    def learn(self, true: Any, made: Any, rate: Any) -> Verdict:
        """Updates the weights by one batch; returns how it did before."""
        variables = self.model.trainable_variables
        self._optimizer.learning_rate.assign(rate)
        shown = self._pool.exchanged(tf.stop_gradient(made), self._optimizer.iterations)
        with tf.GradientTape() as tape:
            losses, verdict = self._judged(true, shown, training=True)
            total = tf.add_n([*losses, *self.model.losses])
        self._optimizer.apply(tape.gradient(total, variables), variables)
        return verdict

    def judge(self, true: Any, made: Any) -> Verdict:
        """Returns how it does, without learning."""
        return self._judged(true, made, training=False)[1]

    def _judged(self, true: Any, made: Any, training: bool) -> tuple[list[Any], Verdict]:
        on_true, on_made = (full_precision(self(one, training)) for one in (true, made))
        losses = [least_squares(on_true, TRUE), least_squares(on_made, MADE)]
        found = [on_true > _HALF, on_made <= _HALF]
        right = [tf.reduce_mean(tf.cast(one, tf.float32)) for one in found]
        return losses, Verdict(sum(losses) / 2, sum(right) / 2)


class AdversarialSteps(Steps):
    """What the steps of both kinds of GAN have in common."""

    def __init__(
        self,
        adversaries: Adversaries,
        weights: Sequence[float],
        monitors: LossParts,
        jit_compile: bool = False,
    ) -> None:
        """Prepares the steps.

        Args:
            adversaries: What learns.
            weights: Parameters of the loss.
            monitors: Some of `PARTS`, and metrics of the images.
            jit_compile: Whether XLA compiles the steps.
        """
        models, optimizers = adversaries.models, adversaries.optimizers
        states = [*optimizers, *adversaries.pools]
        super().__init__(models, states, 1 + monitors.size, jit_compile)
        half = len(models) // 2
        self._generators = models[:half]
        self._generator_steps = [partial(model, training=False) for model in self._generators]
        self._discriminators = [adversaries.of_discriminator(number) for number in range(half)]
        self._optimizer = optimizers[0]
        self._weights = tuple(weights)
        self._monitors = monitors
        self._optimizer.build(self._variables_of_generators())

    @property
    def generators(self) -> list[Callable[[Float32], Float32]]:
        """What each generator makes of images, float32 (batch, *space, channels)."""
        return [partial(self._made_by, step) for step in self._generator_steps]

    def _made_by(self, step: Callable[..., Any], images: Float32) -> Float32:
        return np.asarray(self._run(step, images), dtype=np.float32)

    def _train_step(self, images: Any, targets: Any, rates: Any) -> Any:
        variables = self._variables_of_generators()
        self._optimizer.learning_rate.assign(rates[0])
        with tf.GradientTape() as tape:
            made = self._made(images, targets, training=True)
            with tape.stop_recording():
                verdicts = [
                    one.learn(*pair, rates[1 + number])
                    for number, (one, pair) in enumerate(self._pairs(images, targets, made))
                ]
            loss = self._loss(images, targets, made, training=True)
            total = self._total(loss)
        self._optimizer.apply(tape.gradient(total, variables), variables)
        return self._sums(total, loss, verdicts, targets, made)

    def _evaluate_step(self, images: Any, targets: Any) -> Any:
        made = self._made(images, targets, training=False)
        verdicts = [one.judge(*pair) for one, pair in self._pairs(images, targets, made)]
        loss = self._loss(images, targets, made, training=False)
        return self._sums(self._total(loss), loss, verdicts, targets, made)

    @abstractmethod
    def _made(self, images: Any, targets: Any, training: bool) -> Sequence[Any]:
        """Returns what each generator makes; the first makes y of X."""

    @abstractmethod
    def _pairs(
        self, images: Any, targets: Any, made: Sequence[Any]
    ) -> list[tuple[Discriminator, tuple[Any, Any]]]:
        """Returns each discriminator with what it is shown: true, and made."""

    @abstractmethod
    def _loss(self, images: Any, targets: Any, made: Sequence[Any], training: bool) -> Any:
        """Returns the generators' loss."""

    def _variables_of_generators(self) -> list[Any]:
        return [one for model in self._generators for one in model.trainable_variables]

    def _total(self, loss: GeneratorLoss) -> Any:
        penalties = [one for model in self._generators for one in model.losses]
        return tf.add_n([loss.total, *penalties])

    def _sums(
        self,
        total: Any,
        loss: GeneratorLoss,
        verdicts: Sequence[Verdict],
        targets: Any,
        made: Sequence[Any],
    ) -> Any:
        means = [sum(values) / len(verdicts) for values in zip(*verdicts, strict=True)]
        parts = dict(zip(PARTS, (*loss, *means), strict=True))
        told = self._monitors.sums_of_parts(parts, targets, made[0])
        return tf.concat([tf.reshape(total, (1,)), told], axis=0)


class Pix2PixSteps(AdversarialSteps):
    """A generator, and a discriminator that sees the source as well.

    Reference: Isola et al. (2017), Image-to-image translation with conditional adversarial
    networks.
    """

    def _made(self, images: Any, targets: Any, training: bool) -> Sequence[Any]:
        return [self._generators[0](images, training=training)]

    def _pairs(
        self, images: Any, targets: Any, made: Sequence[Any]
    ) -> list[tuple[Discriminator, tuple[Any, Any]]]:
        pairs = _joined(targets, images), _joined(made[0], images)
        return [(self._discriminators[0], pairs)]

    def _loss(self, images: Any, targets: Any, made: Sequence[Any], training: bool) -> Any:
        judged = self._discriminators[0](_joined(made[0], images), training)
        return pix2pix(judged, made[0], targets, *self._weights)


class CycleGanSteps(AdversarialSteps):
    """Two generators that undo each other, each with a discriminator.

    Reference: Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent
    adversarial networks.
    """

    def _made(self, images: Any, targets: Any, training: bool) -> Sequence[Any]:
        to_y, to_x = self._generators
        return [to_y(images, training=training), to_x(targets, training=training)]

    def _pairs(
        self, images: Any, targets: Any, made: Sequence[Any]
    ) -> list[tuple[Discriminator, tuple[Any, Any]]]:
        made_y, made_x = made
        pairs = [(images, made_x), (targets, made_y)]
        return list(zip(self._discriminators, pairs, strict=True))

    def _loss(self, images: Any, targets: Any, made: Sequence[Any], training: bool) -> Any:
        to_y, to_x = self._generators
        made_y, made_x = made
        first, second = self._discriminators
        calls: list[tuple[Callable[..., Any], Any]] = [
            (first, made_x),
            (second, made_y),
            (to_x, made_y),
            (to_y, made_x),
            (to_x, images),
            (to_y, targets),
        ]
        outputs = [call(given, training=training) for call, given in calls]
        return cyclegan(outputs, (images, targets), *self._weights)


def _joined(target: Any, source: Any) -> Any:
    """Returns both images in the channels of one, as the discriminator takes them."""
    return tf.concat([target, tf.cast(source, target.dtype)], axis=-1)
