"""Images larger than a network's input: cut into tiles that overlap, predicted, put together.

The output of each pixel is a weighted mean over the tiles that hold it. Near a border that is not
the image's own, a network lacks what lies beyond; so the outer quarter of an overlap has no weight.
A network that looks no further than that gives what it would give for the whole image at once.

Reference: Isensee et al., nnU-Net, Nature Methods, 2021 (Gaussian weights, overlap of a half).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Run = Callable[[Float32], Float32]
Place = TypeVar("Place")

# Standard deviation of the Gaussian, as a part of the tile.
SPREAD = 1 / 8
# Tiles begin at multiples of this, or of the largest part of it that divides the tile and shortens
# steps no further than to `_WORTH`: poolings then see the same groups as in the whole image.
_ALIGNMENT, _WORTH = 32, 0.9


class Image(Protocol):
    """An array, or what makes the parts of one when they are looked at."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis, (*space, channels)."""

    def __getitem__(self, part: tuple[slice, ...], /) -> Float32:
        """Returns a part, cut out of axes of space."""


@dataclass(frozen=True)
class Tiling:
    """How an image is cut and put together.

    Attributes:
        overlap: Part of a tile, 0 to below 1, that its neighbour has at least in common with it.
        weights: `gaussian`, which trusts the middle of a tile most, or `average`.
        tiles: That are predicted at once: what memory is bounded by, besides image and output.
    """

    overlap: float = 0.5
    weights: str = "gaussian"
    tiles: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1:
            raise ValueError(f"expected an overlap from 0 to below 1, got {self.overlap}")
        if self.weights not in _WEIGHTS:
            raise ValueError(f"expected weights {' or '.join(_WEIGHTS)}, got {self.weights}")
        if self.tiles < 1:
            raise ValueError(f"expected at least 1 tile at once, got {self.tiles}")


@dataclass(frozen=True)
class Stretch:
    """What a tile covers of one axis.

    Attributes:
        start: Its first pixel.
        first: The first pixel of the tile that counts.
        weights: Of the pixels that count, float32; those of all tiles at a pixel add up to 1.
    """

    start: int
    first: int
    weights: Float32

    @property
    def inside(self) -> slice:
        """The pixels that count, within the tile."""
        return slice(self.first, self.first + len(self.weights))

    @property
    def outside(self) -> slice:
        """The same pixels within the image."""
        return slice(self.start + self.first, self.start + self.first + len(self.weights))


def tiled(image: Image, tile: Sequence[int], run: Run, tiling: Tiling) -> Float32:
    """Returns the output of a network per pixel for an image of any size.

    Args:
        image: Prepared, float32 (*space, channels).
        tile: The network's own space, nowhere larger than the image.
        run: Returns the output, float32 (batch, *tile, values), of images (batch, *tile, channels).
        tiling: How to cut.

    Returns:
        float32 (*space, values).
    """
    result: Float32 | None = None
    for place, part in _outputs(image, tile, run, tiling):
        if result is None:
            result = np.zeros((*image.shape[:-1], part.shape[-1]), np.float32)
        _add(result, part, place)
    if result is None:
        raise ValueError("expected an image with pixels")
    return result


def slabs(image: Image, tile: Sequence[int], run: Run, tiling: Tiling) -> Iterator[Float32]:
    """Yields what `tiled` returns in parts along the first axis, each as soon as it is complete.

    Memory then need not hold the whole output. Arguments are those of `tiled`.
    """
    rows: Float32 | None = None
    base = 0
    for place, part in _outputs(image, tile, run, tiling):
        if rows is None:
            rows = np.zeros((0, *image.shape[1:-1], part.shape[-1]), np.float32)
        extent = place[0].outside
        if extent.start > base:
            # No later tile reaches before this one.
            yield rows[: extent.start - base]
            rows, base = rows[extent.start - base :], extent.start
        missing = extent.stop - base - len(rows)
        if missing > 0:
            rows = np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), np.float32)])
        _add(rows, part, place, base)
    if rows is None:
        raise ValueError("expected an image with pixels")
    yield rows


def count_tiles(space: Sequence[int], tile: Sequence[int], overlap: float) -> int:
    """Returns how many tiles an image of a space is cut into."""
    lengths = zip(space, tile, strict=True)
    return prod(len(tile_starts(*pair, overlap)) for pair in lengths)


def in_groups(places: Iterable[Place], size: int) -> Iterator[list[Place]]:
    """Yields places in lists of `size`, the last one shorter."""
    rest = iter(places)
    while group := list(itertools.islice(rest, size)):
        yield group


def stretches(length: int, tile: int, tiling: Tiling) -> list[Stretch]:
    """Returns the tiles along one axis.

    Args:
        length: Of the image.
        tile: Length of a tile, at most that of the image.
        tiling: How to cut.
    """
    starts = tile_starts(length, tile, tiling.overlap)
    margin = int(tile * tiling.overlap / 4)
    last = starts[-1]
    parts = []
    total = np.zeros(length)
    for start in starts:
        first = 0 if start == 0 else margin
        end = tile if start == last else tile - margin
        weights = _WEIGHTS[tiling.weights](tile)[first:end]
        total[start + first : start + end] += weights
        parts.append((start, first, weights))
    return [
        Stretch(start, first, (weights / total[start + first :][: len(weights)]).astype(np.float32))
        for start, first, weights in parts
    ]


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Returns where tiles begin: at equal distances where alignment allows, the last at the end."""
    step = max(int(tile * (1 - overlap)), 1)
    alignment = _alignment(tile, step)
    step -= step % alignment
    count = -(-(length - tile) // step)
    last = length - tile
    even = [last * number / count for number in range(count)] if count else []
    # Rounded down, two tiles may be further apart than a step.
    starts = [int(start // alignment * alignment) for start in even]
    if any(after - before > step for before, after in itertools.pairwise([*starts, last])):
        starts = [step * number for number in range(count)]
    return [*starts, last]


def _alignment(tile: int, step: int) -> int:
    """Returns the largest power of two that tiles can begin at multiples of."""
    alignment = gcd(tile, _ALIGNMENT)
    while step - step % alignment < _WORTH * step:
        alignment //= 2
    return alignment


def _outputs(
    image: Image, tile: Sequence[int], run: Run, tiling: Tiling
) -> Iterator[tuple[tuple[Stretch, ...], Float32]]:
    """Yields each tile with its output, (*tile, values); those of the first axis rise."""
    space = image.shape[:-1]
    axes = [stretches(*lengths, tiling) for lengths in zip(space, tile, strict=True)]
    batch = np.empty((tiling.tiles, *tile, image.shape[-1]), np.float32)
    for places in in_groups(itertools.product(*axes), tiling.tiles):
        for row, place in zip(batch, places, strict=False):
            row[...] = image[
                tuple(_whole(one, length) for one, length in zip(place, tile, strict=True))
            ]
        yield from zip(places, run(batch[: len(places)]), strict=True)


def _whole(stretch: Stretch, length: int) -> slice:
    return slice(stretch.start, stretch.start + length)


def _add(result: Float32, part: Float32, place: tuple[Stretch, ...], base: int = 0) -> None:
    """Adds the weighted output of one tile to one that begins at row `base`."""
    weighed = part[tuple(one.inside for one in place)]
    weight: Any = np.ones((), np.float32)
    for one in place:
        weight = weight[..., np.newaxis] * one.weights
    rows, *others = (one.outside for one in place)
    inside = slice(rows.start - base, rows.stop - base)
    result[(inside, *others)] += weighed * weight[..., np.newaxis]


def _gaussian(length: int) -> NDArray[np.float64]:
    places = np.arange(length) - (length - 1) / 2
    weights: NDArray[np.float64] = np.exp(-0.5 * (places / (SPREAD * length)) ** 2)
    return weights


def _average(length: int) -> NDArray[np.float64]:
    return np.ones(length)


_WEIGHTS = {"gaussian": _gaussian, "average": _average}

HALVES = Tiling()
