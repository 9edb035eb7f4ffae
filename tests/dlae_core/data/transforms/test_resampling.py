"""Resampling against SciPy in float64, borders included, and against DLAE 1.0's own images."""

import json

import numpy as np
import pytest

from dlae_core.data.transforms import volumes
from dlae_core.data.transforms.filling import SCIPY_MODES, Filling
from dlae_core.data.transforms.matrices import Matrix, about_centre, linear, translation
from dlae_core.data.transforms.resampling import resample
from tests.dlae_core.data.transforms.affine import halfway, positions, reference, some_matrix
from tests.reference import reference_path

MODES = list(SCIPY_MODES)
ANGLES = [11, 91, 200]
# Of the range of the intensities, which differ by all of it from pixel to pixel here.
TOLERANCE = 5e-4


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    """Returns noise whose borders are as bright as its inside, so that no border goes unseen."""
    return np.random.default_rng(5).random(shape, np.float32)


def _classes(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(6).integers(0, 5, shape).astype(np.uint8)


def _agree(array: np.ndarray, matrix: Matrix, mode: str) -> None:
    """Asserts that linear and nearest sampling agree with SciPy's."""
    filling = Filling(mode, 1.5)
    ours = resample(array, matrix, "linear", filling)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, reference(array, matrix, "linear", filling), atol=TOLERANCE)
    numbers = (array * 5).astype(np.uint8)
    filling = Filling(mode, 7)
    chosen = resample(numbers, matrix, "nearest", filling)
    assert chosen.dtype == np.uint8
    clear = ~halfway(matrix, array.shape[:-1])
    expected = reference(numbers, matrix, "nearest", filling)
    np.testing.assert_array_equal(chosen[clear], expected[clear])


@pytest.mark.parametrize("degrees", ANGLES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7])
def test_planes_are_sampled_as_by_scipy(mode: str, degrees: float, channels: int) -> None:
    space = (37, 50)
    _agree(_noise((*space, channels)), some_matrix(space, degrees), mode)


@pytest.mark.parametrize("mode", MODES)
def test_large_planes_are_sampled_as_by_scipy(mode: str) -> None:
    _agree(_noise((400, 300, 1)), some_matrix((400, 300), 33), mode)


@pytest.mark.parametrize("mode", MODES)
def test_volumes_are_sampled_in_plane_as_by_scipy(mode: str) -> None:
    space = (31, 40, 6)
    _agree(_noise((*space, 2)), some_matrix(space, 17, in_plane=True), mode)


@pytest.mark.parametrize("degrees", ANGLES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(20, 30, 11, 1), (12, 9, 14, 2), (1, 9, 4, 1), (9, 1, 1, 1)])
def test_volumes_are_sampled_about_all_axes_as_by_scipy(
    mode: str, degrees: float, shape: tuple[int, ...]
) -> None:
    _agree(_noise(shape), some_matrix(shape[:-1], degrees), mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("block", "tallest"), [(64, 1 << 13), (1 << 14, 200), (500, 90)])
def test_volumes_of_many_blocks_are_sampled_alike(
    monkeypatch: pytest.MonkeyPatch, mode: str, block: int, tallest: int
) -> None:
    image, matrix = _noise((21, 25, 18, 1)), some_matrix((21, 25, 18), 40)
    whole = resample(image, matrix, "linear", Filling(mode))
    monkeypatch.setattr(volumes, "BLOCK", block)
    monkeypatch.setattr(volumes, "TALLEST", tallest)
    np.testing.assert_allclose(
        resample(image, matrix, "linear", Filling(mode)), whole, atol=TOLERANCE
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("space", [(20, 17), (9, 12, 7)])
def test_cubic_sampling_is_scipys(mode: str, space: tuple[int, ...]) -> None:
    image, matrix, filling = _noise((*space, 2)), some_matrix(space, 11), Filling(mode, 0.5)
    ours = resample(image, matrix, "cubic", filling)
    np.testing.assert_allclose(ours, reference(image, matrix, "cubic", filling), atol=1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64])
def test_nearest_sampling_invents_no_number_of_any_type(kind: type[np.generic]) -> None:
    numbers = _classes((33, 40, 1)).astype(kind)
    matrix = some_matrix((33, 40), 19)
    chosen = resample(numbers, matrix, "nearest", Filling("nearest"))
    clear = ~halfway(matrix, (33, 40))
    expected = reference(numbers, matrix, "nearest", Filling("nearest"))
    np.testing.assert_array_equal(chosen[clear], expected[clear])


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_quarter_turns_flips_and_whole_shifts_move_pixels_only(
    interpolation: str, kind: type[np.generic]
) -> None:
    image = (_noise((8, 8, 3)) * 200).astype(kind)
    quarter = about_centre(linear(2, np.array([[0.0, -1.0], [1.0, 0.0]])), (8, 8))
    half = about_centre(linear(2, np.diag((-1.0, -1.0))), (8, 8))
    shift = translation(np.array((2.0, -3.0)))
    shifted = np.pad(image, ((0, 2), (3, 0), (0, 0)), mode="edge")[2:, :8]
    turned = np.rot90(image, -1)
    for matrix, expected in ((quarter, turned), (half, image[::-1, ::-1]), (shift, shifted)):
        moved = resample(image, matrix, interpolation, Filling("nearest"))
        assert moved.dtype == kind
        np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("space", [(7, 9), (5, 8, 6)])
def test_exact_moves_agree_with_scipy_beyond_the_borders(mode: str, space: tuple[int, ...]) -> None:
    image, filling = _noise((*space, 2)), Filling(mode, 3)
    matrix = np.roll(np.eye(len(space) + 1)[:-1], 1, axis=0)
    matrix = np.vstack([matrix * -1, np.eye(len(space) + 1)[-1]])
    matrix[:-1, -1] = 4
    moved = resample(image, matrix, "linear", filling)
    np.testing.assert_allclose(moved, reference(image, matrix, "nearest", filling), rtol=1e-6)


def test_an_image_that_does_not_move_is_not_copied() -> None:
    image = _noise((5, 5, 1))
    assert np.shares_memory(resample(image, np.eye(3), "linear", Filling("wrap")), image)


def _golden() -> tuple[dict[str, np.ndarray], list[tuple[str, str]]]:
    stored = dict(np.load(reference_path("golden", "data.npz")))
    known = json.loads(reference_path("golden", "data.json").read_text())["transforms"]["params"]
    images = [key.split("/")[2] for key in stored if key.startswith("tf/img/")]
    return stored, [(image, params) for image in images for params in known]


@pytest.mark.parametrize(("order", "interpolation"), [(0, "nearest"), (1, "linear")])
def test_the_matrices_of_the_original_give_the_images_of_the_original(
    order: int, interpolation: str
) -> None:
    stored, cases = _golden()
    compared = 0
    for image, params in cases:
        array = stored[f"tf/img/{image}"].astype(np.float32)
        key = f"tf/matrix/{params}/{array.shape[0]}x{array.shape[1]}"
        theirs = stored.get(f"tf/affine/{image}/{params}/nearest/o{order}")
        if theirs is None or key not in stored:
            continue
        ours = resample(array, stored[key], interpolation, Filling("nearest"))
        # Images of whole numbers are rounded by the original.
        rounding = 0.5 if theirs.dtype.kind == "u" else 0
        clear = ~halfway(stored[key], array.shape[:2]) if order == 0 else ...
        tolerance = rounding + 1e-4 * np.ptp(array) + 1e-4
        np.testing.assert_allclose(ours[clear], theirs[clear], rtol=0, atol=tolerance)
        compared += 1
    assert compared >= 5


def test_constant_filling_of_the_original_differs_in_the_outermost_band_only() -> None:
    stored, cases = _golden()
    compared = 0
    for image, params in cases:
        array = stored[f"tf/img/{image}"].astype(np.float32)
        key = f"tf/matrix/{params}/{array.shape[0]}x{array.shape[1]}"
        theirs = stored.get(f"tf/affine/{image}/{params}/constant/o1")
        if theirs is None or key not in stored or theirs.dtype.kind == "u":
            continue
        ours = resample(array, stored[key], "linear", Filling("constant", 1.5))
        places, size = positions(stored[key], array.shape[:2]), np.array(array.shape[:2])
        inside = ((places >= 0) & (places <= size - 1)).all(-1)
        beyond = ((places <= -1) | (places >= size)).any(-1)
        same = inside | beyond
        np.testing.assert_allclose(ours[same], theirs[same], atol=1e-4 * np.ptp(array) + 1e-4)
        compared += 1
    assert compared >= 5
