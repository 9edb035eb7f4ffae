"""ZCA whitening against its definition."""

import numpy as np
import pytest

from dlae_core.data.whitening import whitened


@pytest.mark.parametrize("shape", [(6, 9, 1), (9, 4, 1), (5, 4, 3), (4, 5, 3, 2), (5, 5, 1)])
@pytest.mark.parametrize("epsilon", [1e-6, 0.1])
def test_whitening_is_that_of_the_definition(shape: tuple[int, ...], epsilon: float) -> None:
    image = np.random.default_rng(3).normal(1, 2, shape).astype(np.float32)
    matrix = image.reshape(len(image), -1).astype(np.float64)
    u, s, _ = np.linalg.svd(matrix.T @ matrix / len(matrix))
    expected = matrix @ u @ np.diag(1 / np.sqrt(s + epsilon)) @ u.T
    ours = whitened(image, epsilon)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected.reshape(shape), atol=1e-5 * np.abs(expected).max())


def test_whitened_rows_are_uncorrelated() -> None:
    image = np.random.default_rng(4).normal(0, 3, (200, 5, 1)).astype(np.float32)
    image[:, 1] += image[:, 0]
    rows = whitened(image, 1e-9)[..., 0]
    np.testing.assert_allclose(rows.T @ rows / 200, np.eye(5), atol=1e-4)


def test_an_empty_image_stays_empty() -> None:
    np.testing.assert_array_equal(whitened(np.zeros((4, 6, 1), np.float32), 1e-6), 0)
