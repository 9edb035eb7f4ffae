"""Steps on several devices at once: the same numbers as on one, up to rounding.

Every replica holds all weights, takes a share of each batch through the network, and then sees the
output for the whole batch. Loss and metrics are therefore those of the whole batch on every
replica, whatever they are; each replica derives the loss by its own share of the output, and the
sum of their gradients is the gradient.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

Step = Callable[..., Any]


class Replicas:
    """The one device of a plain training: it takes every batch whole."""

    # Statistics for batch normalization; None: those of the images that a device has.
    moments: Callable[[Any], tuple[Any, Any]] | None = None

    def run(self, step: Step, images: Any, *rest: Any) -> Any:
        """Returns what a step returns for the images, whole or a share of them."""
        return step(images, *rest)

    def whole(self, output: Any) -> Any:
        """Returns the output for the whole batch, from the output for the share."""
        return output

    def means(self, losses: Sequence[Any]) -> list[Any]:
        """Returns losses over the whole batch, summed or not, from the means over the share."""
        return list(losses)

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Any],
        weights: Sequence[Any],
    ) -> None:
        """Updates weights by gradients, which are those of the share."""
        optimizer.apply(gradients, weights)


class Mirrored(Replicas):
    """The replicas of a strategy of TensorFlow.

    Replica i takes the samples from i * rows on, where rows is the batch size over the number of
    replicas, rounded up. Replicas for which none are left take the last sample and count nothing
    of it: not every operation can do with no image at all.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        models: Sequence[keras.Model],
        optimizers: Sequence[keras.optimizers.Optimizer],
    ) -> None:
        """Prepares the replicas.

        Args:
            strategy: Under its scope models and optimizers were built.
            models: Draw other numbers on every replica from now on.
            optimizers: Are given sums of gradients from now on.
        """
        self._strategy = strategy
        self._replicas = strategy.num_replicas_in_sync
        self._several_machines = len(strategy.extended.worker_devices) < self._replicas
        # TensorFlow runs the code of each replica in a thread of its own while it traces.
        self._share = threading.local()
        self.moments = self._moments
        for optimizer in optimizers:
            # Keras would clip the gradient of each replica, and sum up afterwards.
            optimizer._all_reduce_sum_gradients = list
        for layer in (layer for model in models for layer in model.layers):
            for value in vars(layer).values():
                if isinstance(value, keras.random.SeedGenerator):
                    value.next = partial(_own_seed, value.next)

    def run(self, step: Step, images: Any, *rest: Any) -> Any:
        """Returns what a step returns, which is the same on every replica."""
        share = tf.autograph.experimental.do_not_convert(partial(self._run_share, step))
        results = self._strategy.run(share, args=(images, *rest))
        return self._strategy.experimental_local_results(results)[0]

    def whole(self, output: Any) -> Any:
        """Returns the output for the whole batch; derived, it hands on the share's part."""
        share = self._share
        missing = share.rows - share.used
        padding = [[0, missing], *[[0, 0]] * (output.shape.rank - 1)]
        rows = self._gathered(tf.pad(output[: share.used], padding))[: share.count]
        return tf.ensure_shape(rows, (None, *output.shape[1:]))

    def means(self, losses: Sequence[Any]) -> list[Any]:
        """Returns one loss or none; derived, it hands on the share's part."""
        part = self._share.parts[self._share.place]
        return [_of_all(tf.add_n(losses) * part)] if losses else []

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Any],
        weights: Sequence[Any],
    ) -> None:
        """Updates the weights of all replicas alike, by the sum of their gradients."""
        known = [gradient for gradient in gradients if gradient is not None]
        summed = iter(_sum(known))
        optimizer.apply([None if one is None else next(summed) for one in gradients], weights)

    def _run_share(self, step: Step, images: Any, *rest: Any) -> Any:
        share, place = self._share, _context().replica_id_in_sync_group
        # The batch is in the memory of the processor, and no device needs all of it.
        with tf.device("CPU:0"):
            count = tf.shape(images)[0]
            rows = -(-count // self._replicas)
            used = tf.clip_by_value(count - tf.range(self._replicas) * rows, 0, rows)
            share.place, share.count, share.rows, share.used = place, count, rows, used[place]
            share.parts = tf.cast(used / count, tf.float32)
            start = tf.minimum(place * rows, count - 1)
            own = images[start : start + tf.maximum(used[place], 1)]
            own = tf.ensure_shape(own, (None, *images.shape[1:]))
        result = step(own, *rest)
        if self._several_machines:
            # Who decides by the same numbers decides the same; others may round differently.
            result = tf.nest.map_structure(partial(_of_first, place), result)
        return result

    def _gathered(self, block: Any) -> Any:
        """Returns blocks of all replicas, one after the other, for a use common to them all."""
        place = self._share.place

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def gathered(own: Any) -> Any:
            rows = tf.shape(own)[0]

            def backward(upstream: Any) -> Any:
                return upstream[place * rows : (place + 1) * rows]

            return _context().all_gather(own, axis=0), backward

        return gathered(block)

    def _moments(self, values: Any) -> tuple[Any, Any]:
        """Returns mean and variance over the whole batch, float32 (channels,).

        Reference: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
        """
        mean, variance = tf.nn.moments(values, list(range(values.shape.rank - 1)))
        every = _gathered_apart(tf.stack([mean, variance])[tf.newaxis], self._share.place)
        parts = self._share.parts[:, tf.newaxis]
        means, variances = every[:, 0], every[:, 1]
        mean = tf.reduce_sum(parts * means, axis=0)
        return mean, tf.reduce_sum(parts * (variances + tf.square(means - mean)), axis=0)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _of_all(own: Any) -> Any:
    """Returns the sum of all replicas' values, for a use common to them all."""
    return _sum(own), lambda upstream: upstream


def _of_first(place: Any, value: Any) -> Any:
    """Returns the first replica's value."""
    return _sum(tf.where(place == 0, value, tf.zeros_like(value)))


def _own_seed(following: Callable[..., Any], ordered: bool = True) -> Any:
    """Returns the next seed of a replica; the first one has that of a training on one device."""
    seed = following(ordered)
    place = tf.cast(_context().replica_id_in_sync_group, seed.dtype)
    return seed + tf.stack([place, tf.zeros_like(place)])


def _gathered_apart(own: Any, place: Any) -> Any:
    """Returns blocks of all replicas (replicas, ...), for a use of which each makes another."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def gathered(block: Any) -> Any:
        def backward(upstream: Any) -> Any:
            return _sum(upstream)[place][tf.newaxis]

        return _context().all_gather(block, axis=0), backward

    return gathered(own)


def _sum(values: Any) -> Any:
    return _context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def _context() -> Any:
    return tf.distribute.get_replica_context()
