"""Layer strings, and the blocks that several prebuilt networks are made of."""

from collections.abc import Sequence

Shape = tuple[int, ...]
Layers = list[str]

FLATTEN = "Flatten"
SKIP_SOURCE = "Outer skip source:concatenate"
SKIP_TARGET = "Outer skip target:concatenate"


def entry(shape: Shape) -> str:
    """Returns the input of images of a shape, (*space, channels)."""
    return f"Input:{tuple(shape)}"


def backbone(name: str, shape: Shape, skips: bool = False, hooks: bool = False) -> str:
    """Returns a network of the literature without its head and with random weights."""
    return f"{name}:False:none:{tuple(shape)}:{skips}:{hooks}"


def convolution(
    rank: int, filters: int, size: int = 3, stride: int = 1, padding: str = "same"
) -> str:
    """Returns a convolution, its kernel and stride alike on all `rank` axes."""
    return f"Convolution {rank}D:{filters}:{(size,) * rank}:{(stride,) * rank}:{padding}"


def resize_convolution(rank: int, filters: int, size: int = 3) -> str:
    """Returns an upsampling by 2 that is followed by a convolution."""
    return f"Resize convolution {rank}D:{filters}:{(size,) * rank}"


def max_pooling(rank: int, size: int = 2, stride: int = 2) -> str:
    """Returns a pooling, halving unless told otherwise."""
    return f"Max pooling {rank}D:{(size,) * rank}:{(stride,) * rank}"


def normalization(momentum: float = 0.99) -> str:
    """Returns a batch normalization."""
    return f"Batch normalization:{momentum}:0.001"


def normalized(weights: str, activation: str = "relu") -> Layers:
    """Returns a layer with its batch normalization and its activation."""
    return [weights, normalization(), f"Activation:{activation}"]


def dense(widths: Sequence[int], outputs: int, dropout: float | None = None) -> Layers:
    """Returns fully connected layers with rectifiers, then class probabilities.

    Args:
        widths: Units of the layers before the last.
        outputs: Number of classes.
        dropout: Rate of the dropout after each of them; None for none.
    """
    after = [] if dropout is None else [f"Dropout:{dropout}"]
    hidden = [text for width in widths for text in (f"Dense:{width}", "Activation:relu", *after)]
    return [*hidden, f"Dense:{outputs}", "Activation:softmax"]
