"""The input that ImageNet weights expect, made from intensities 0 to 255."""

from typing import Any

import keras

from dlae_core.backbones.tracing import named

# Mean and standard deviation of the ImageNet images in red, green and blue, in units of 0 to 255.
MEANS = (123.68, 116.779, 103.939)
FRACTIONAL_MEANS = (0.485, 0.456, 0.406)
FRACTIONAL_DEVIATIONS = (0.229, 0.224, 0.225)

# Scale and offset of red, green and blue; and whether the network reads blue, green, red.
SCALINGS: dict[str, tuple[tuple[float, ...], tuple[float, ...], bool]] = {
    "caffe": ((1.0, 1.0, 1.0), tuple(-mean for mean in MEANS), True),
    "tf": ((1 / 127.5,) * 3, (-1.0,) * 3, False),
    "torch": (
        tuple(1 / (255 * deviation) for deviation in FRACTIONAL_DEVIATIONS),
        tuple(
            -mean / deviation
            for mean, deviation in zip(FRACTIONAL_MEANS, FRACTIONAL_DEVIATIONS, strict=True)
        ),
        False,
    ),
}


def scaled_input(image: Any, kind: str, name: str) -> Any:
    """Returns raw intensities as the ImageNet weights of a network expect them.

    The layers have no weights.

    Args:
        image: float32 (batch, rows, cols, channels), 0 to 255; three channels are red, green and
            blue. Of any other number, all take the mean of the three constants.
        kind: `caffe`, `tf` or `torch`.
        name: Prefix of all names.
    """
    scales, offsets, reversed_order = SCALINGS[kind]
    if image.shape[-1] != 3:
        scale, offset = sum(scales) / 3, sum(offsets) / 3
        return keras.layers.Rescaling(scale, offset, name=f"{name}_scaling")(image)
    scaled = keras.layers.Rescaling(list(scales), list(offsets), name=f"{name}_scaling")(image)
    return named(scaled[..., ::-1], f"{name}_bgr") if reversed_order else scaled
