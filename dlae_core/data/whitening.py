"""ZCA whitening of single images."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def whitened(image: Float32, epsilon: float) -> Float32:
    """Returns an image (rows, ...) whose rows, taken as observations, are uncorrelated.

    With X the image as (rows, numbers of a row) and X'X / rows = U diag(s) U', the result is
    X U diag(1 / sqrt(s + epsilon)) U'. The mean is not removed.

    Args:
        image: float32 (rows, ...).
        epsilon: Above 0; keeps what hardly varies from being blown up.

    Differs: DLAE 1.0 whitened samples of training only, and only with augmentation on (A7). It
    decomposed X'X, whose side is all numbers of a row; here it is the smaller of X'X and XX'.

    Reference: Bell, Sejnowski (1997), The independent components of natural scenes are edge
    filters.
    """
    rows = len(image)
    matrix = image.reshape(rows, -1).astype(np.float64)
    if matrix.shape[1] <= rows:
        result = matrix @ _inverse_root(matrix.T @ matrix / rows, epsilon)
    else:
        # X f(X'X) = f(XX') X
        result = _inverse_root(matrix @ matrix.T / rows, epsilon) @ matrix
    return result.reshape(image.shape).astype(np.float32)


def _inverse_root(covariance: NDArray[np.float64], epsilon: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    # Rounding leaves values slightly below 0.
    scales = 1 / np.sqrt(values.clip(0) + epsilon)
    root: NDArray[np.float64] = (vectors * scales) @ vectors.T
    return root
