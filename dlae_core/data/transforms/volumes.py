"""Affine resampling of volumes about any axis, with OpenCV.

A volume (rows, cols, slices) is one tall image of its rows, each (cols, slices), below one another.
OpenCV samples that image bilinearly at float positions, once in the row before an output voxel and
once in the row after it; the two are mixed linearly, which makes it trilinear.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dlae_core.data.source import Array
from dlae_core.data.transforms.filling import Filling
from dlae_core.data.transforms.matrices import Matrix, translation

Float32 = NDArray[np.float32]

# Voxels of a block: as many as stay in a core's own cache through all steps.
BLOCK = 1 << 14
# Rows of the tall image. float32 then places a sample to 1/4096 of a pixel; OpenCV ends at 32767.
TALLEST = 1 << 13

_PADDING = {"constant": "constant", "reflect": "symmetric", "wrap": "wrap"}


class _Block(NamedTuple):
    """A part of the output, and the input positions of its voxels, each (rows * cols, slices)."""

    place: tuple[slice, ...]
    positions: tuple[Float32, ...]


def resample_volume(array: Array, matrix: Matrix, interpolation: str, filling: Filling) -> Array:
    """Returns a volume (rows, cols, slices) resampled at the positions a matrix gives.

    Args:
        array: float32, uint8 or uint16; at most 10,000 columns.
        matrix: (4, 4), output (row, column, slice) to input.
        interpolation: `nearest` or `linear`.
        filling: What stands outside.
    """
    space = array.shape
    volume, moved = _continued(np.ascontiguousarray(array), matrix, filling)
    out = np.empty(space, array.dtype)
    sampled = _nearest if interpolation == "nearest" else _linear
    fold = filling.mode in ("reflect", "wrap")
    for block in _blocks(space, volume.shape[1], moved):
        part = out[block.place]
        positions = [
            _inside(position, size, original, filling.mode if fold and axis else "")
            for axis, (position, size, original) in enumerate(
                zip(block.positions, volume.shape, space, strict=True)
            )
        ]
        part[...] = sampled(volume, *positions).reshape(part.shape)
    return out


def _continued(array: Array, matrix: Matrix, filling: Filling) -> tuple[Array, Matrix]:
    """Returns a volume with what the borders need around it, and the matrix into it.

    Positions beyond it may then be moved to its last voxels. Along the columns and slices of
    `reflect` and `wrap` they are folded instead, which takes no memory; rows would be scattered
    over the whole tall image.
    """
    before, after = [0, 0, 0], [0, 0, 0]
    if filling.mode == "constant":
        before, after = [1, 1, 1], [1, 1, 1]
    elif filling.mode != "nearest":
        low, high = _reach(matrix, array.shape)
        before[0] = max(0, -int(np.floor(low)))
        after[0] = max(0, int(np.ceil(high)) - array.shape[0] + 1)
        after[1] = after[2] = int(filling.mode == "wrap")
    value = {"constant_values": filling.value} if filling.mode == "constant" else {}
    widths = list(zip(before, after, strict=True))
    if any(before) or any(after):
        array = np.pad(array, widths, _PADDING[filling.mode], **value)  # type: ignore[call-overload]
    if len(array) == 1:
        array = array.repeat(2, axis=0)
    return array, translation(np.array(before, float)) @ matrix


def _reach(matrix: Matrix, space: tuple[int, ...]) -> tuple[float, float]:
    """Returns the smallest and the largest input row of an output space."""
    reach = matrix[0, :3] * (np.array(space) - 1)
    return float(matrix[0, 3] + reach.clip(max=0).sum()), float(
        matrix[0, 3] + reach.clip(min=0).sum()
    )


def _blocks(space: tuple[int, ...], columns: int, matrix: Matrix) -> Iterator[_Block]:
    """Yields the output in blocks of a size whose input rows make no image that is too tall."""
    size = _block_size(space, columns, matrix)
    steps = np.tensordot(matrix[:3, :3], np.indices(size), axes=1).astype(np.float32)
    for start in product(*map(range, (0, 0, 0), space, size)):
        place = tuple(
            slice(begin, min(begin + step, end))
            for begin, step, end in zip(start, size, space, strict=True)
        )
        extent = [part.stop - part.start for part in place]
        offset = (matrix[:3, :3] @ start + matrix[:3, 3]).astype(np.float32)
        inner = steps[:, : extent[0], : extent[1], : extent[2]]
        positions = (inner + offset[:, None, None, None]).reshape(3, -1, extent[2])
        yield _Block(place, tuple(positions))


def _block_size(space: tuple[int, ...], columns: int, matrix: Matrix) -> tuple[int, ...]:
    slices = min(space[2], BLOCK)
    across = min(space[1], max(1, BLOCK // slices))
    size = np.array([min(space[0], max(1, BLOCK // (slices * across))), across, slices])
    steepness = np.abs(matrix[0, :3])
    while columns * (steepness @ (size - 1) + 3) > TALLEST and (steepness * (size - 1)).any():
        widest = (steepness * (size - 1)).argmax()
        size[widest] = (size[widest] + 1) // 2
    return tuple(map(int, size))


def _inside(positions: Float32, size: int, period: int, fold: str) -> Float32:
    """Returns positions moved into an axis of `size` voxels, folded by a period where asked."""
    if fold and (positions.min() < 0 or positions.max() > period - 1):
        half = np.float32(0.5)
        if fold == "wrap":
            positions = _modulo(positions, period)
        else:
            turned = _modulo(positions + half, 2 * period)
            positions = np.minimum(turned, 2 * period - turned) - half
    return positions.clip(0, size - 1)


def _modulo(positions: Float32, period: int) -> Float32:
    """Returns positions modulo a period, ten times faster than `numpy.mod`."""
    rest: Float32 = positions - period * np.floor(positions * np.float32(1 / period))
    return rest


def _linear(volume: Array, rows: Float32, columns: Float32, slices: Float32) -> Array:
    before = np.minimum(np.floor(rows), len(volume) - 2)
    weight = rows - before
    tall, down = _tall(volume, before, columns)
    here = _sampled(tall, down, slices, cv2.INTER_LINEAR)
    there = _sampled(tall, down + volume.shape[1], slices, cv2.INTER_LINEAR)
    there -= here
    there *= weight
    there += here
    return there


def _nearest(volume: Array, rows: Float32, columns: Float32, slices: Float32) -> Array:
    # Rounded here, as OpenCV would find the nearest column of half positions in the next row.
    half = np.float32(0.5)
    row, column, part = (np.floor(axis + half) for axis in (rows, columns, slices))
    tall, down = _tall(volume, row, column)
    return _sampled(tall, down, part, cv2.INTER_NEAREST)


def _tall(volume: Array, rows: Float32, columns: Float32) -> tuple[Array, Float32]:
    """Returns the tall image of the needed rows and the row after them, and positions down it."""
    first, last = int(rows.min()), int(rows.max()) + 1
    tall = volume[first : last + 1].reshape(-1, volume.shape[2])
    return tall, (rows - first) * volume.shape[1] + columns


def _sampled(image: Array, rows: Float32, columns: Float32, method: int) -> Array:
    return cv2.remap(image, columns, rows, method, borderMode=cv2.BORDER_REPLICATE)
