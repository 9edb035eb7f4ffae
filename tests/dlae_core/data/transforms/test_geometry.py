"""Composition, draws and units of random geometry."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae_core.data.randomness import Purpose, generator
from dlae_core.data.transforms import Geometry
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.flip import Flip
from dlae_core.data.transforms.matrices import Matrix, about_centre, product, translation
from dlae_core.data.transforms.resampling import resample
from dlae_core.data.transforms.rotation import Rotation
from dlae_core.data.transforms.shear import Shear
from dlae_core.data.transforms.shift import Shift
from dlae_core.data.transforms.zoom import Zoom
from tests.reference import reference_path

EMPTY = Filling("constant")


def _affine(
    theta: float = 0, tx: float = 0, ty: float = 0, shear: float = 0, zx: float = 1, zy: float = 1
) -> Matrix:
    """Returns the matrix of given parameters about the origin, angles in degrees."""
    parts = (
        Rotation().matrix(np.deg2rad([theta, 0, 0]), 2),
        Shift.matrix(np.array([tx, ty]), 2),
        Shear.matrix(float(np.deg2rad(shear)), 2),
        Zoom.matrix(np.array([zx, zy]), 2),
    )
    return product(parts, 2)


def _moved(size: int, place: tuple[int, int], **parameters: float) -> np.ndarray:
    image = np.zeros((size, size, 1), np.float32)
    image[place] = 1
    matrix = about_centre(_affine(**parameters), (size, size))
    return resample(image, matrix, "linear", EMPTY)[..., 0]


@pytest.mark.parametrize(
    ("size", "place", "parameters", "expected"),
    [
        (5, (2, 2), {"tx": 1}, (1, 2)),
        (5, (2, 2), {"ty": 1}, (2, 1)),
        (5, (2, 2), {"theta": 90}, (2, 2)),  # 1.0: (2, 4), off the centre (A1)
        (5, (0, 1), {"theta": 90}, (1, 4)),
        (4, (1, 1), {"theta": 180}, (2, 2)),  # 1.0: outside (A1)
        (5, (2, 2), {"theta": 37, "shear": 9, "zx": 0.5, "zy": 0.5}, (2, 2)),
    ],
)
def test_a_bright_pixel_goes_where_the_matrix_sends_it(
    size: int, place: tuple[int, int], parameters: dict[str, float], expected: tuple[int, int]
) -> None:
    moved = _moved(size, place, **parameters)
    assert np.unravel_index(moved.argmax(), moved.shape) == expected
    assert moved[expected] == pytest.approx(1, abs=1e-5)


def test_zooming_in_spreads_a_pixel_around_its_own_place() -> None:
    moved = _moved(5, (2, 2), zx=0.5, zy=0.5)  # 1.0: around (1, 1) (A1)
    spread = np.outer([0, 0.5, 1, 0.5, 0], [0, 0.5, 1, 0.5, 0])
    np.testing.assert_allclose(moved, spread, atol=1e-6)


def test_parts_are_multiplied_as_by_the_original_but_for_the_centre() -> None:
    stored = np.load(reference_path("golden", "data.npz"))
    known = json.loads(reference_path("golden", "data.json").read_text())["transforms"]["params"]
    compared = 0
    for key in (name for name in stored.files if name.startswith("tf/matrix/")):
        _, _, name, size = key.split("/")
        # The original turns about a centre one pixel further along each axis (A1).
        centre = np.array([int(number) / 2 + 0.5 for number in size.split("x")])
        ours = translation(centre) @ _affine(**known[name]) @ translation(-centre)
        np.testing.assert_allclose(ours, stored[key], atol=1e-9)
        compared += 1
    assert compared >= 5


def test_flips_come_after_all_else() -> None:
    image = np.random.default_rng(7).random((6, 9, 1), np.float32)
    affine = about_centre(_affine(theta=20, tx=1.5, shear=8, zy=1.2), (6, 9))
    flip = about_centre(Flip.matrix(np.array([True, True]), 2), (6, 9))
    at_once = resample(image, affine @ flip, "linear", EMPTY)
    one_by_one = resample(image, affine, "linear", EMPTY)[::-1, ::-1]
    np.testing.assert_allclose(at_once, one_by_one, atol=1e-5)


def _many(part: Any, *args: Any) -> np.ndarray:
    random = np.random.default_rng(8)
    return np.array([part.draw(random, *args) for _ in range(2000)])


def _spans(drawn: np.ndarray, low: float, high: float) -> None:
    """Asserts that draws fill a range evenly."""
    assert drawn.min() >= low
    assert drawn.max() <= high
    assert np.ptp(drawn) > 0.99 * (high - low)
    assert drawn.mean() == pytest.approx((low + high) / 2, abs=0.05 * (high - low))


def test_draws_have_the_units_and_ranges_of_the_settings() -> None:
    angles = _many(Rotation(30))
    _spans(angles, -np.pi / 6, np.pi / 6)
    _spans(_many(Shear(18)), -np.pi / 10, np.pi / 10)
    _spans(_many(Zoom(0.25)), 0.75, 1.25)
    shifts = _many(Shift(height=0.2, width=3), (50, 40))
    _spans(shifts[:, 0], -10, 10)  # a fraction of the rows
    _spans(shifts[:, 1], -3, 3)  # pixels
    flips = _many(Flip(vertical=True))
    assert flips[:, 0].mean() == pytest.approx(0.5, abs=0.05)
    assert not flips[:, 1].any()


def test_axes_are_drawn_independently() -> None:
    pairs = (_many(Zoom(0.25)), _many(Shift(0.2, 0.2), (9, 9)), _many(Rotation(9))[:, :2])
    for drawn in (*pairs, _many(Flip(vertical=True, horizontal=True)).astype(float)):
        assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_a_transform_draws_the_same_alone_as_among_others(seed: int) -> None:
    parts: dict[str, Any] = {
        "rotation": Rotation(20),
        "shift": Shift(0.1, 2),
        "shear": Shear(5),
        "zoom": Zoom(0.2),
        "flip": Flip(vertical=True, horizontal=True),
    }

    def drawn(**chosen: Any) -> Matrix:
        random = generator(seed, Purpose.AUGMENTATION, 0, 0, 3)
        return Geometry(**chosen).draw(random, (20, 30))

    alone = [drawn(**{name: part}) for name, part in parts.items()]
    np.testing.assert_allclose(product(alone, 2), drawn(**parts), atol=1e-9)


def test_the_same_place_gives_the_same_draw() -> None:
    geometry = Geometry(Rotation(20), Shift(0.1, 2), Shear(5), Zoom(0.2), Flip(True, True))
    place = (Purpose.AUGMENTATION, 3, 1, 7)
    first, again = (geometry.draw(generator(5, *place), (9, 9)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, geometry.draw(generator(6, *place), (9, 9)))


def test_volumes_turn_in_plane_unless_asked_otherwise() -> None:
    space = (8, 9, 5)
    random = np.random.default_rng(9)
    in_plane = Geometry(Rotation(40), Shift(0.1, 2), Shear(5), Zoom(0.2), Flip(True, True))
    matrix = in_plane.draw(random, space)
    np.testing.assert_array_equal(matrix[2], (0, 0, 1, 0))
    np.testing.assert_array_equal(matrix[:2, 2], 0)
    assert np.abs(Geometry(Rotation(40, all_axes=True)).draw(random, space)[2, :2]).min() > 0


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (0.5, 0.5, 4.0)])
def test_volumes_turn_as_the_bodies_they_show(sizes: tuple[float, ...]) -> None:
    matrix = Rotation(50, all_axes=True, voxel_size=sizes).matrix(np.array([0.7, -0.4, 0.2]), 3)
    lengths = np.diag(sizes)
    body = lengths @ matrix[:3, :3] @ np.linalg.inv(lengths)
    np.testing.assert_allclose(body @ body.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(body) == pytest.approx(1)


GEOMETRIES = st.builds(
    Geometry,
    st.builds(Rotation, st.floats(0, 180), st.booleans()),
    st.builds(Shift, st.floats(0, 0.3), st.floats(0, 6)),
    st.builds(Shear, st.floats(0, 30)),
    st.builds(Zoom, st.floats(0, 0.4)),
    st.builds(Flip, st.booleans(), st.booleans()),
    st.sampled_from(["nearest", "linear"]),
    st.builds(Filling, st.sampled_from(["nearest", "constant", "reflect", "wrap"])),
)
SPACES = st.lists(st.integers(3, 24), min_size=2, max_size=3).map(tuple)


@settings(max_examples=60, deadline=None)
@given(GEOMETRIES, SPACES, st.integers(0, 2**32 - 1))
def test_image_and_label_map_stay_aligned_under_any_draw(
    geometry: Geometry, space: tuple[int, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, space).astype(np.uint8)
    matrix = geometry.draw(random, space)
    image = geometry.image(labels[..., np.newaxis].astype(np.float32), matrix)[..., 0]
    moved = geometry.labels(labels, matrix)
    assert moved.shape == labels.shape
    assert set(np.unique(moved)) <= {0, 1}
    # The nearest pixel has the largest weight, at least one in 2 per axis.
    bound = 0 if geometry.interpolation == "nearest" else 1 - 0.5 ** len(space)
    assert np.abs(image - moved).max() <= bound + 2e-3


@settings(max_examples=40, deadline=None)
@given(GEOMETRIES, SPACES, st.integers(0, 2**32 - 1))
def test_the_inverse_of_a_draw_restores_what_stayed_inside(
    geometry: Geometry, space: tuple[int, ...], seed: int
) -> None:
    ramp = np.stack(np.indices(space), axis=-1).astype(np.float32)
    matrix = geometry.draw(np.random.default_rng(seed), space)
    moved = resample(ramp, matrix, "linear", geometry.filling)
    back = resample(moved, np.linalg.inv(matrix), "linear", geometry.filling)
    # A ramp is exact under linear sampling, wherever neither way leaves the image.
    sources = np.moveaxis(np.indices(space), 0, -1) @ np.linalg.inv(matrix)[:-1, :-1].T
    sources += np.linalg.inv(matrix)[:-1, -1]
    reach = np.abs(matrix[:-1, :-1]).sum(axis=1)
    size = np.array(space) - 1
    inside = ((sources >= 0) & (sources <= size)).all(-1)
    inside &= ((ramp >= reach) & (ramp <= size - reach)).all(-1)
    np.testing.assert_allclose(back[inside], ramp[inside], atol=2e-2)
