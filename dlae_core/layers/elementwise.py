"""Layers that keep the image's shape: activation, normalization, dropout, noise, dense."""

import keras

from dlae.v1 import layers_pb2 as pb
from dlae_core.layers.builder import Builder, Layers, Place

SPATIAL_DROPOUTS = {2: keras.layers.SpatialDropout2D, 3: keras.layers.SpatialDropout3D}


def dense(settings: pb.Dense, place: Place) -> Layers:
    """Returns a fully connected layer, Glorot uniform kernel and zero bias."""
    return (keras.layers.Dense(settings.units, name=place.name),)


def activation(settings: pb.Activation, place: Place) -> Layers:
    """Returns an activation function; softmax is over the last axis.

    `hard_sigmoid` is 0.2 x + 0.5 between 0 and 1, as in DLAE 1.0; Keras 3 has x / 6 + 0.5 there.
    """
    if settings.activation == "hard_sigmoid":
        line = keras.layers.Rescaling(0.2, 0.5, name=f"{place.name}_line")
        return (line, keras.layers.ReLU(max_value=1.0, name=place.name))
    return (keras.layers.Activation(settings.activation, name=place.name),)


def leaky_relu(settings: pb.LeakyRelu, place: Place) -> Layers:
    """Returns a rectifier with a small slope below zero."""
    return (keras.layers.LeakyReLU(negative_slope=settings.alpha, name=place.name),)


def elu(settings: pb.Elu, place: Place) -> Layers:
    """Returns the exponential linear unit.

    Reference: Clevert et al. (2015), Fast and accurate deep network learning by exponential linear
    units.
    """
    return (keras.layers.ELU(settings.alpha, name=place.name),)


def thresholded_relu(settings: pb.ThresholdedRelu, place: Place) -> Layers:
    """Returns a rectifier that is zero up to a threshold.

    Reference: Konda et al. (2014), Zero-bias autoencoders and the benefits of co-adapting features.
    """
    return (keras.layers.ReLU(threshold=settings.theta, name=place.name),)


def prelu(settings: pb.Prelu, place: Place) -> Layers:
    """Returns a rectifier with a learned slope for each value of the image, not shared over space.

    Reference: He et al. (2015), Delving deep into rectifiers.
    """
    return (keras.layers.PReLU(name=place.name),)


def batch_normalization(settings: pb.BatchNormalization, place: Place) -> Layers:
    """Returns batch normalization of the last axis."""
    layer = keras.layers.BatchNormalization(
        momentum=settings.momentum, epsilon=settings.epsilon, name=place.name
    )
    return (layer,)


def dropout(settings: pb.Dropout, place: Place) -> Layers:
    """Returns dropout of single values."""
    return (keras.layers.Dropout(settings.rate, name=place.name),)


def spatial_dropout(settings: pb.SpatialDropout, place: Place) -> Layers:
    """Returns dropout of whole channels."""
    return (SPATIAL_DROPOUTS[place.rank](settings.rate, name=place.name),)


def gaussian_dropout(settings: pb.GaussianDropout, place: Place) -> Layers:
    """Returns multiplication with noise around 1 while training."""
    return (keras.layers.GaussianDropout(settings.rate, name=place.name),)


def alpha_dropout(settings: pb.AlphaDropout, place: Place) -> Layers:
    """Returns dropout that keeps mean and variance.

    Reference: Klambauer et al. (2017), Self-normalizing neural networks.
    """
    return (keras.layers.AlphaDropout(settings.rate, name=place.name),)


def gaussian_noise(settings: pb.GaussianNoise, place: Place) -> Layers:
    """Returns noise added while training."""
    return (keras.layers.GaussianNoise(settings.standard_deviation, name=place.name),)


ELEMENTWISE_BUILDERS: dict[str, Builder] = {
    "dense": dense,
    "activation": activation,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "thresholded_relu": thresholded_relu,
    "prelu": prelu,
    "batch_normalization": batch_normalization,
    "dropout": dropout,
    "spatial_dropout": spatial_dropout,
    "gaussian_dropout": gaussian_dropout,
    "alpha_dropout": alpha_dropout,
    "gaussian_noise": gaussian_noise,
}
