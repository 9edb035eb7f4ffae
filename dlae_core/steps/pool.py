"""A pool of images made earlier, from which discriminators are shown some."""

from typing import Any

import keras
import tensorflow as tf


class ImagePool:
    """Exchanges images that were just made for older ones, each with probability one half.

    The first images fill the pool and come back as they are. Draws are a pure function of the seed
    and the number of the update; what is in the pool is part of every checkpoint.

    Reference: Shrivastava et al. (2017), Learning from simulated and unsupervised images through
    adversarial training, section 2.3.
    Differs: images of one batch take the places of different ones.

    Attributes:
        variables: The images, and how many there are.
    """

    def __init__(self, size: int, shape: tuple[int, ...], seed: int) -> None:
        """Makes an empty pool.

        Args:
            size: Most images; not fewer than a batch has. 0: nothing is exchanged.
            shape: Of one image.
            seed: Of the draws.
        """
        self._size, self._seed = size, seed
        self.variables: list[keras.Variable] = []
        if size:
            self._images = keras.Variable(
                tf.zeros((size, *shape)), trainable=False, name="pool_images"
            )
            self._count = keras.Variable(0, trainable=False, dtype="int32", name="pool_count")
            self.variables = [self._images, self._count]

    def exchanged(self, made: Any, update: Any) -> Any:
        """Returns images to show a discriminator, float32 (batch, ...).

        Args:
            made: Images just made, float32 (batch, ...).
            update: Updates done before, int.
        """
        if not self._size:
            return made
        batch, count = tf.shape(made)[0], tf.convert_to_tensor(self._count)
        draws = tf.random.stateless_uniform(
            (2, self._size), tf.stack([self._seed, tf.cast(update, tf.int32)])
        )
        is_full = tf.equal(count, self._size)
        places = count + tf.range(batch)
        fits = places < self._size
        slots = tf.where(is_full, tf.argsort(draws[0])[:batch], tf.where(fits, places, 0))
        swapped = is_full & (draws[1][:batch] < 0.5)
        stored = swapped | (~is_full & fits)
        old = tf.gather(self._images.value, slots)
        kept = tf.boolean_mask(slots, stored)
        fresh = tf.boolean_mask(made, stored)
        self._images.assign(tf.tensor_scatter_nd_update(self._images.value, kept[:, None], fresh))
        self._count.assign(tf.minimum(count + batch, self._size))
        mask = tf.reshape(swapped, (-1, *(1 for _ in made.shape[1:])))
        return tf.where(mask, old, made)
