"""Merging of skip connections: kinds of merge to Keras layers."""

import keras

MERGES = {
    "concatenate": keras.layers.Concatenate,
    "add": keras.layers.Add,
    "subtract": keras.layers.Subtract,
    "multiply": keras.layers.Multiply,
    "average": keras.layers.Average,
    "maximum": keras.layers.Maximum,
}
