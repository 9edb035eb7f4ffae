"""The 61 prebuilt networks of DLAE 1.0, one row each; they are generated, not stored.

Differs: C22, C23, C24 and C25, faults of DLAE 1.0's files, are mended; each is a note of its row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from dlae_core.config.prebuilt import networks, settings
from dlae_core.config.prebuilt.layers import Shape
from dlae_core.config.prebuilt.networks import Backbone, Lists
from dlae_core.config.prebuilt.settings import Settings, merged
from dlae_core.config.prebuilt.sides import LONGEST, Sides
from dlae_core.config.wording import shown, suggestion
from dlae_core.errors import InvalidConfig, Violation

_IMAGE = (512, 512, 1)
_IMAGENET_CLASSES = 1000
# Where the number of classes stands, and the least that makes sense.
_CLASSES = {
    "CNN": ("preprocessing.categories", 2),
    "FCN": ("preprocessing.categories", 2),
    "BBD": ("bbd_options.number_classes", 1),
}

BACKBONES = (
    Backbone("VGG16", "Simonyan and Zisserman 2015", pooled=True),
    Backbone("VGG19", "Simonyan and Zisserman 2015", pooled=True),
    Backbone("ResNet50", "He et al. 2016"),
    Backbone("ResNet101", "He et al. 2016"),
    Backbone("ResNet152", "He et al. 2016"),
    Backbone("ResNet50V2", "He et al. 2016, identity mappings"),
    Backbone("ResNet101V2", "He et al. 2016, identity mappings"),
    Backbone("ResNet152V2", "He et al. 2016, identity mappings"),
    Backbone("ResNeXt50", "Xie et al. 2017"),
    Backbone("ResNeXt101", "Xie et al. 2017"),
    Backbone("InceptionResNetV2", "Szegedy et al. 2017", smallest=75, short=True),
    Backbone("InceptionV3", "Szegedy et al. 2016", smallest=75, short=True),
    Backbone("Xception", "Chollet 2017", smallest=71),
    Backbone("DenseNet121", "Huang et al. 2017"),
    Backbone("DenseNet169", "Huang et al. 2017"),
    Backbone("DenseNet201", "Huang et al. 2017"),
    Backbone("MobileNet", "Howard et al. 2017"),
    Backbone("MobileNetV2", "Sandler et al. 2018"),
)

_NO_SOFTMAX = (
    "C23: ends in a softmax, which DLAE 1.0 left out although the loss compares probabilities",
)
_LATE_SKIP = (
    "C22: the fifth skip is met where densenet121_unet meets it; in DLAE 1.0 it was met one block "
    "later, at another size, and the network could not be built",
)
_UNSCALED_TARGETS = (
    "C25: images and annotations are scaled to -1..1, the range of the generator's tanh; DLAE 1.0 "
    "scaled the images to 0..1 and left the annotations as they were",
    "images and annotations have the same number of channels",
)
_FIXED_STEPS = (
    "the anchors' steps are DLAE 1.0's for 512 x 512; with other sides they follow the feature "
    "maps (steps None)",
)


@dataclass(frozen=True)
class Prebuilt:
    """One prebuilt network.

    Attributes:
        name: As the catalogue and `config_file.prebuilt` have it.
        model_signal: CNN, FCN, GAN or BBD.
        summary: One line, with the paper.
        notes: Sentences on where it is not what DLAE 1.0 shipped, and on its use.
        input_shape: Shape that it comes with, (*space, channels).
    """

    name: str
    model_signal: str
    summary: str
    notes: tuple[str, ...] = ()
    input_shape: Shape = _IMAGE


@dataclass(frozen=True)
class _Recipe:
    """How a prebuilt network is made.

    Attributes:
        about: What people are told.
        build: Input shape and number of outputs to layer lists.
        settings: Beside the layers.
        sides: What images it takes.
        outputs: Number of outputs that it comes with.
        settings_of_space: Settings that hold for its own rows and columns only.
    """

    about: Prebuilt
    build: Callable[[Shape, int], Lists]
    settings: Settings
    sides: Sides
    outputs: int = 2
    settings_of_space: Settings | None = None


def prebuilt_names() -> tuple[str, ...]:
    """Returns the names of all prebuilt networks: CNN, FCN, GAN, BBD, as DLAE 1.0 listed them."""
    return tuple(_RECIPES)


def prebuilt(name: str) -> Prebuilt:
    """Returns what is known about a prebuilt network.

    Raises:
        InvalidConfig: There is none of this name; names the nearest.
    """
    return _recipe(name).about


def prebuilt_sections(
    name: str, input_shape: Shape | None = None, classes: int | None = None
) -> dict[str, dict[str, Any]]:
    """Returns what a prebuilt network sets: sections, keys and native JSON values.

    Args:
        name: Of the catalogue.
        input_shape: (*space, channels) with as many axes as its own; None: its own.
        classes: Number of classes, background included for CNN and FCN, not counted for BBD. None:
            the outputs that it comes with.

    Raises:
        InvalidConfig: No such name, or a shape or a number of classes that does not suit it.
    """
    recipe = _recipe(name)
    shape = tuple(input_shape or recipe.about.input_shape)
    found = recipe.sides.violations(name, recipe.about.input_shape, shape)
    found += _class_violations(recipe.about, classes)
    if found:
        raise InvalidConfig(found)
    network = {"model_signal": recipe.about.model_signal, "input_shape": shape}
    rows = [{"config_file": network}, recipe.settings]
    if recipe.settings_of_space and shape[:-1] == recipe.about.input_shape[:-1]:
        rows.append(recipe.settings_of_space)
    if classes is not None:
        section, _, key = _CLASSES[recipe.about.model_signal][0].partition(".")
        rows.append({section: {key: classes}})
    rows.append({"layers": recipe.build(shape, classes or recipe.outputs)})
    return merged(*rows)


def _recipe(name: str) -> _Recipe:
    found = _RECIPES.get(name)
    if found is None:
        hint = suggestion(name, _RECIPES) or "; `dlae-client prebuilt list` shows them"
        sentence = f"expected the name of a prebuilt network, got {shown(name)}{hint}"
        raise InvalidConfig([Violation("config_file.prebuilt", "UNKNOWN_PREBUILT", sentence)])
    return found


def _class_violations(about: Prebuilt, classes: int | None) -> list[Violation]:
    if classes is None:
        return []
    if about.model_signal not in _CLASSES:
        sentence = f"expected no number of classes for {about.name}, which has none, got {classes}"
        return [Violation("preprocessing.categories", "CONTRADICTION", sentence)]
    path, least = _CLASSES[about.model_signal]
    if not least <= classes <= LONGEST:
        sentence = f"expected {least} to {LONGEST} classes for {about.name}, got {classes}"
        return [Violation(path, "OUT_OF_RANGE", sentence)]
    return []


def _classifiers() -> list[_Recipe]:
    digits = Prebuilt("lenet5", "CNN", "LeNet-5 (LeCun et al. 1998)", (), (32, 32, 1))
    photos = Prebuilt("alexnet", "CNN", "AlexNet (Krizhevsky et al. 2012)", _NO_SOFTMAX)
    rows = [
        _Recipe(digits, networks.lenet5, settings.CNN_8BIT, Sides(at_least=8), outputs=10),
        _Recipe(photos, networks.alexnet, settings.CNN, Sides(at_least=215), _IMAGENET_CLASSES),
    ]
    for base in BACKBONES:
        about = Prebuilt(base.name.lower(), "CNN", f"{base.name} ({base.paper})")
        build = partial(networks.classifier, base)
        sides = Sides(at_least=base.smallest)
        rows.append(_Recipe(about, build, settings.CNN, sides, _IMAGENET_CLASSES))
    return rows


def _segmenters() -> list[_Recipe]:
    paper = "U-Net for volumes (Ronneberger et al. 2015, Cicek et al. 2016)"
    flat = Prebuilt("unet2d", "FCN", "U-Net (Ronneberger et al. 2015)")
    deep = Prebuilt("unet3d", "FCN", paper, (), (128, 128, 64, 1))
    rows = [
        _Recipe(flat, networks.unet, settings.FCN, Sides(multiple=16)),
        _Recipe(deep, networks.unet, settings.FCN_3D, Sides(multiple=16)),
    ]
    for base in BACKBONES:
        name = f"{base.name.lower()}_unet"
        notes = _LATE_SKIP if base.name == "DenseNet169" else ()
        summary = f"U-Net (Ronneberger et al. 2015) on {base.name} ({base.paper})"
        about = Prebuilt(name, "FCN", summary, notes)
        # Five halvings in the backbone, VGG's last among them, and one below the others.
        sides = Sides(multiple=32 if base.pooled else 64, at_least=base.smallest)
        build = partial(networks.backbone_unet, base)
        rows.append(_Recipe(about, build, settings.FCN, sides))
    return rows


def _translators() -> list[_Recipe]:
    paired = Prebuilt("pix2pix", "GAN", "pix2pix (Isola et al. 2017)", _UNSCALED_TARGETS)
    unpaired = Prebuilt("cyclegan", "GAN", "cycleGAN (Zhu et al. 2017)", _UNSCALED_TARGETS)
    # Seven halvings in the generator.
    sides = Sides(multiple=128)
    return [
        _Recipe(paired, networks.translation_gan, settings.PIX2PIX, sides),
        _Recipe(unpaired, networks.translation_gan, settings.CYCLEGAN, sides),
    ]


def _detectors() -> list[_Recipe]:
    about = Prebuilt("ssd", "BBD", "SSD512 (Liu et al. 2016)", _FIXED_STEPS)
    # What leaves 2 x 2 pixels for the last hook's convolution.
    sides = Sides(at_least=304)
    steps = settings.SSD_STEPS
    rows = [_Recipe(about, networks.ssd, settings.SSD, sides, settings_of_space=steps)]
    for base in BACKBONES:
        finest, coarsest = base.strides
        note = (
            f"C24: the anchors follow the feature maps, at strides {finest} to {coarsest} (steps "
            "None); DLAE 1.0 placed them 32 to 512 pixels apart"
        )
        summary = f"SSD (Liu et al. 2016) on {base.name} ({base.paper})"
        about = Prebuilt(f"{base.name.lower()}_ssd", "BBD", summary, (note,))
        build = partial(networks.backbone_ssd, base)
        sides = Sides(at_least=base.smallest)
        rows.append(_Recipe(about, build, settings.BACKBONE_SSD, sides))
    return rows


_RECIPES = {
    recipe.about.name: recipe
    for recipe in (*_classifiers(), *_segmenters(), *_translators(), *_detectors())
}
