"""The networks behind the prebuilt names: layer lists for an input shape and a number of classes.

Shapes are (*space, channels). Every function returns the lists of the section `layers`.
"""

from dataclasses import dataclass

from dlae_core.config.prebuilt.layers import (
    FLATTEN,
    SKIP_SOURCE,
    SKIP_TARGET,
    Layers,
    Shape,
    backbone,
    convolution,
    dense,
    entry,
    max_pooling,
    normalization,
    normalized,
    resize_convolution,
)

Lists = dict[str, Layers]

_BORDER = "Zero padding 2D:((1, 1), (1, 1))"
_HOOK = "Hook connection source"
_LEAKY = "Leaky reLU:0.2"
# Penalty of 0.0005 on the kernels: initializer, two regularizers, l1, l2.
_PENALTY = "he_normal:l2:None:0.0:0.0005"


@dataclass(frozen=True)
class Backbone:
    """A network of the literature, as far as recipes that are built on it need to know.

    Attributes:
        name: As the layer language has it.
        paper: Authors and year.
        smallest: Least side of an image, in pixels.
        pooled: Whether its output is pooled once more than the deepest of its five levels, as in
            VGG: the levels then have the strides 1 to 16, otherwise 2 to 32.
        short: Whether its output is two pixels smaller than its deepest level, which is padded.
    """

    name: str
    paper: str
    smallest: int = 32
    pooled: bool = False
    short: bool = False

    @property
    def strides(self) -> tuple[int, int]:
        """Strides of the finest and the coarsest level."""
        return (1, 16) if self.pooled else (2, 32)


def lenet5(shape: Shape, outputs: int) -> Lists:
    """Two convolutions and three dense layers.

    Reference: LeCun et al., Gradient-based learning applied to document recognition, 1998.
    Differs: batch normalization, rectifiers and maxima instead of sigmoids and means.
    """
    features = [
        *normalized(convolution(2, 6, size=5, padding="valid")),
        max_pooling(2),
        *normalized(convolution(2, 16, size=5)),
        max_pooling(2),
    ]
    return _serial([entry(shape), *features, FLATTEN, *dense((120, 84), outputs)])


def alexnet(shape: Shape, outputs: int) -> Lists:
    """Five convolutions and three dense layers.

    Reference: Krizhevsky et al., ImageNet classification with deep convolutional neural networks,
    2012.
    Differs: one tower, batch normalization, a second kernel of 11 x 11. DLAE 1.0 has no softmax at
    the end (C23).
    """
    features = [
        *normalized(convolution(2, 96, size=11, stride=4, padding="valid")),
        max_pooling(2),
        *normalized(convolution(2, 256, size=11, padding="valid")),
        max_pooling(2),
    ]
    for filters in (384, 384, 256):
        features += normalized(convolution(2, filters, padding="valid"))
    head = dense((4096, 4096), outputs, dropout=0.4)
    return _serial([entry(shape), *features, max_pooling(2), FLATTEN, *head])


def classifier(base: Backbone, shape: Shape, outputs: int) -> Lists:
    """A backbone with the head of its paper: two dense layers for VGG, a global mean otherwise."""
    head = [FLATTEN, *dense((4096, 4096), outputs)]
    if not base.pooled:
        head = ["Global average pooling 2D", *dense((), outputs)]
    return _serial([entry(shape), backbone(base.name, shape), *head])


def unet(shape: Shape, outputs: int) -> Lists:
    """Four levels down and up, two convolutions each, in 2D or 3D.

    Reference: Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation,
    2015; Cicek et al., 3D U-Net, 2016.
    Differs: batch normalization, also before the softmax; borders padded; dropout at the bottom.
    """
    rank = len(shape) - 1
    layers = [entry(shape)]
    for filters in (64, 128, 256, 512):
        dropout = ["Dropout:0.5"] if filters == 512 else []
        layers += normalized(convolution(rank, filters)) * 2
        layers += [SKIP_SOURCE, *dropout, max_pooling(rank)]
    layers += [*normalized(convolution(rank, 1024)) * 2, "Dropout:0.5"]
    for filters in (512, 256, 128, 64):
        layers += [*normalized(resize_convolution(rank, filters)), SKIP_TARGET]
        layers += normalized(convolution(rank, filters)) * 2
    return _serial(layers + normalized(convolution(rank, outputs), "softmax"))


def backbone_unet(base: Backbone, shape: Shape, outputs: int) -> Lists:
    """A backbone with a decoder that meets its five levels, deepest first.

    The decoder starts one pooling below the deepest level. The backbones whose levels start at
    stride 2 need one upsampling more than there are levels to meet.

    Reference: Ronneberger et al., U-Net, 2015.
    """
    below = [] if base.pooled else [max_pooling(2)]
    border = [_BORDER] if base.short else []
    layers = [entry(shape), backbone(base.name, shape, skips=True), *border, *below]
    layers += normalized(convolution(2, 1024)) * 3
    widths = (512, 512, 256, 128, 64) if base.pooled else (512, 512, 512, 256, 128, 64)
    for step, filters in enumerate(widths):
        met = [SKIP_TARGET] if step < 5 else []
        layers += [*normalized(resize_convolution(2, filters)), *met]
        layers += normalized(convolution(2, filters)) * (1 if filters <= 128 else 2)
    return _serial(layers + normalized(convolution(2, outputs), "softmax"))


def translation_gan(shape: Shape, outputs: int) -> Lists:
    """A U-Net of seven levels as generator and a patch discriminator, for pix2pix and cycleGAN.

    The generator makes images of as many channels as it takes.

    Reference: Isola et al., Image-to-image translation with conditional adversarial networks, 2017.
    Differs: resize convolutions, no dropout, batch normalization after the activation.
    """
    generator = [entry(shape)]
    for filters in (64, 128, 256, 512, 512, 512):
        generator += [*_halving(filters), SKIP_SOURCE]
    generator += _halving(512)
    for filters in (512, 512, 512, 256, 128, 64):
        upsampling = resize_convolution(2, filters, size=4)
        generator += [upsampling, "Activation:relu", normalization(0.8), SKIP_TARGET]
    generator += [resize_convolution(2, shape[-1], size=4), "Activation:tanh"]
    discriminator = [entry(shape)]
    for filters in (64, 128, 256, 512):
        discriminator += _halving(filters)
    discriminator.append(convolution(2, 1, size=4))
    return {"generator_layer_list": generator, "discriminator_layer_list": discriminator}


def ssd(shape: Shape, outputs: int) -> Lists:
    """VGG16 with dilated and halving convolutions behind it; seven hooks.

    Reference: Liu et al., SSD: single shot multibox detector, 2016, the variant for 512 x 512.
    Differs: a kernel of 3 x 3 in the second convolution behind VGG, and no padding around the
    pooling before the first.
    """
    layers = [entry(shape)]
    for filters, count in ((64, 2), (128, 2), (256, 3)):
        layers += [*_penalized(convolution(2, filters)) * count, max_pooling(2)]
    layers += [*_penalized(convolution(2, 512)) * 3, _HOOK, max_pooling(2)]
    layers += [*_penalized(convolution(2, 512)) * 3, max_pooling(2, size=3, stride=1)]
    layers += _penalized(convolution(2, 1024), dilation=6) + _penalized(convolution(2, 1024))
    layers += [_HOOK]
    for narrow, filters in ((256, 512), (128, 256), (128, 256), (128, 256)):
        halving = convolution(2, filters, stride=2, padding="valid")
        layers += [*_penalized(convolution(2, narrow, size=1)), _BORDER, *_penalized(halving)]
        layers += [_HOOK]
    last = convolution(2, 256, size=4, padding="valid")
    layers += [*_penalized(convolution(2, 128, size=1)), _BORDER, *_penalized(last), _HOOK]
    return _serial(layers)


def backbone_ssd(base: Backbone, shape: Shape, outputs: int) -> Lists:
    """A backbone whose five levels are the hooks, finest first.

    Reference: Liu et al., SSD: single shot multibox detector, 2016.
    """
    return _serial([entry(shape), backbone(base.name, shape, hooks=True)])


def _serial(layers: Layers) -> Lists:
    return {"serial_layer_list": layers}


def _halving(filters: int) -> Layers:
    """Returns a convolution of stride 2; the first, of 64 channels, has no normalization."""
    after = [] if filters == 64 else [normalization(0.8)]
    return [convolution(2, filters, size=4, stride=2), _LEAKY, *after]


def _penalized(weights: str, dilation: int = 1) -> Layers:
    return [f"{weights}:{(dilation,) * 2}:{_PENALTY}", "Activation:relu"]
