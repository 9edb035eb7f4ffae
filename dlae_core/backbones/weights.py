"""Initial weights of networks: found, compared layer by layer, and set."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dlae_core.backbones.stored_weights import StoredLayer, damaged, stored_layers
from dlae_core.backbones.weight_files import weight_file, weight_folders
from dlae_core.errors import IncompatibleArtifact, WeightsNotFound

IMAGENET = "imagenet"
COLOURS = 3

Floats = NDArray[np.float32]


def load_weights(
    weights: str, network: str, include_top: bool, layers: Sequence[keras.Layer]
) -> None:
    """Sets the weights of a network from a file, by the order of its layers, not by their names.

    What the file has after them, such as a classifier, is left unread.

    Differs: for other than three channels the ImageNet kernel of the first layer is averaged over
    the colours, so that a grey image gives the response of its three equal channels; DLAE 1.0
    failed (L13).

    Args:
        weights: `imagenet` or the path of a file.
        network: Name in `BACKBONES`.
        include_top: Whether the layers end with the ImageNet classifier.
        layers: The layers of the network, in the order of Keras' own models.

    Raises:
        WeightsNotFound: There is no such file.
        IncompatibleArtifact: The weights are of another network.
        CorruptArtifact: The file is damaged.
    """
    is_imagenet = weights == IMAGENET
    path = imagenet_path(network, include_top) if is_imagenet else _given_path(weights)
    own = [layer for layer in layers if layer.weights]
    with stored_layers(path, [type(layer).__name__ for layer in own]) as stored:
        for layer, found in zip_longest(own, stored[: len(own)]):
            expected = [tuple(weight.shape) for weight in layer.weights]
            channels = expected[0][2] if is_imagenet and layer is own[0] else COLOURS
            if channels != COLOURS:
                expected[0] = (*expected[0][:2], COLOURS, expected[0][3])
            if found is None or found.shapes != expected:
                raise _misfit(path, network, layer, expected, found)
            arrays = found.arrays()
            if channels != COLOURS:
                arrays[0] = without_colours(arrays[0], channels)
            layer.set_weights(arrays)


def without_colours(kernel: Floats, channels: int) -> Floats:
    """Returns a kernel for grey channels.

    Args:
        kernel: float32 (rows, cols, 3, filters).
        channels: Channels of the image.

    Returns:
        float32 (rows, cols, channels, filters): on equal channels it responds as `kernel` does on
        three of them.
    """
    total = kernel.sum(axis=2, keepdims=True)
    return np.repeat(total / channels, channels, axis=2)


def imagenet_path(network: str, include_top: bool) -> Path:
    """Returns the file of ImageNet weights, whole.

    Raises:
        WeightsNotFound: It is not installed.
        CorruptArtifact: Its checksum is not that which Keras publishes.
    """
    file = weight_file(network, include_top)
    folders = weight_folders()
    for path in (folder / file.name for folder in folders):
        if path.is_file():
            try:
                whole = file.is_whole(path)
            except OSError as error:
                raise damaged(path) from error
            if not whole:
                raise damaged(path)
            return path
    places = " or ".join(str(folder) for folder in folders)
    raise WeightsNotFound(
        f"expected the ImageNet weights {file.name} of {network} in {places}, found none; install "
        "the file with `dlae-server weights import FILE...`"
    )


def _given_path(weights: str) -> Path:
    path = Path(weights)
    try:
        found = path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise WeightsNotFound(
            f"expected weights 'none', 'imagenet' or the path of a weights file, found no file "
            f"{weights}"
        )
    return path


def _misfit(
    path: Path,
    network: str,
    layer: keras.Layer,
    expected: list[tuple[int, ...]],
    found: StoredLayer | None,
) -> IncompatibleArtifact:
    place = f"layer '{layer.name}' expects weights of shapes {_listed(expected)}"
    came = f"'{found.name}' has {_listed(found.shapes)}" if found and found.name else "has no more"
    return IncompatibleArtifact(
        f"{path.name} does not fit {network}: {place}, the file {came}; give the weights of a "
        f"{network} with the same input channels"
    )


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
