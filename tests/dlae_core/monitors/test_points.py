"""The error of coordinates in closed form."""

import numpy as np
import pytest

from dlae.v1.config_pb2 import Monitors as Settings
from dlae_core.monitors import Points, build_monitors
from tests.dlae_core.monitors.epochs import results_of

pytestmark = pytest.mark.keras

ERROR = Settings(coordinate_error_switch=True)


def _measured(points: Points | None, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    monitors = build_monitors(ERROR, "values", per_pixel=False, classes=0, points=points)
    return results_of(monitors, truth.astype(np.float32), found.astype(np.float32))


def test_error_is_the_mean_distance_of_all_points_of_an_epoch() -> None:
    truth = np.zeros((5, 4))
    found = np.tile([3.0, 4.0, 6.0, 8.0], (5, 1))
    found[4] = 0
    assert _measured(Points(2), truth, found) == {"coordinate_error": pytest.approx(6.0)}


def test_error_of_points_in_volumes_is_told_in_mm_where_the_spacing_is_known() -> None:
    random = np.random.default_rng(0)
    truth, found = random.normal(50, 20, (2, 9, 6))
    difference = (found - truth).reshape(-1, 3)
    spacing = np.array([0.5, 0.5, 3.0])
    assert _measured(Points(3, tuple(spacing)), truth, found) == pytest.approx(
        {
            "coordinate_error": np.linalg.norm(difference, axis=1).mean(),
            "coordinate_error_mm": np.linalg.norm(difference * spacing, axis=1).mean(),
        },
        rel=1e-6,
    )


def test_numbers_that_are_no_points_have_no_such_error() -> None:
    assert _measured(None, np.zeros((4, 2)), np.ones((4, 2))) == {}
