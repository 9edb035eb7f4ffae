"""Rules about the loss: what it needs of the model, the targets and its own parameters."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.loss_kinds import (
    CLASSIFICATION_LOSSES,
    LOSSES_OF_MODELS,
    ONE_HOT_LOSSES,
    REGRESSION_LOSSES,
    SPARSE_LOSS,
)
from dlae_core.config.references import INFERENCE
from dlae_core.errors import Violation

LOSS = "loss_function.loss"
NORMALIZATION = "preprocessing.normalization_type"
SWITCH = "preprocessing.categorical_switch"

# Parameters with which a loss no longer tells good from bad, each of them 0.
_DEGENERATE = {
    "jaccard": (("parameter1",), "the loss is then always 0"),
    "focal": (("parameter1",), "the loss is then always 0"),
    "tversky": (("parameter1", "parameter2"), "the index is then 1 wherever the classes meet"),
    "ssd": (("parameter1",), "no background box is then trained on"),
    "pix2pix": (("parameter1",), "the generator need not resemble its target then"),
    "cyclegan": (("parameter1",), "the generators need not undo each other then"),
}


def loss_of_model(config: Config) -> Iterator[Violation]:
    """The loss is one that the kind of model can have."""
    model, loss = config.config_file.model_signal, config.loss_function.loss
    needed = LOSSES_OF_MODELS.get(model)
    owners = [owner for owner, losses in LOSSES_OF_MODELS.items() if loss in losses]
    if needed and loss not in needed:
        sentence = f"expected {' or '.join(needed)} because model_signal is {model}, got '{loss}'"
        yield Violation(LOSS, "LOSS_MISMATCH", sentence)
    elif owners and not needed:
        sentence = f"expected a loss for {model}, got '{loss}', which needs {owners[0]}"
        yield Violation(LOSS, "LOSS_MISMATCH", sentence)
    elif model == "CNN" and loss == "tversky":
        sentence = "expected a loss per image because model_signal is CNN, got 'tversky' (FCN only)"
        yield Violation(LOSS, "LOSS_MISMATCH", sentence)


def targets_of_loss(config: Config) -> Iterator[Violation]:
    """Targets are not one-hot where the loss compares numbers."""
    loss, encoded = config.loss_function.loss, config.preprocessing.categorical_switch
    if encoded and (loss == SPARSE_LOSS or loss in REGRESSION_LOSSES):
        kind = "class numbers" if loss == SPARSE_LOSS else "values"
        sentence = f"expected False because {loss} compares {kind}, got True"
        yield Violation(SWITCH, "LOSS_MISMATCH", sentence)


def one_hot_files(config: Config) -> Iterator[Violation]:
    """Finds one-hot targets that are not made from class numbers: they must be in the files."""
    loss = config.loss_function.loss
    if config.config_file.type_signal == INFERENCE:
        # It compares nothing.
        return
    if loss in ONE_HOT_LOSSES and not config.preprocessing.categorical_switch:
        sentence = (
            f"expected True because {loss} compares one-hot classes, got False; annotation files "
            "must hold class numbers (files that are one-hot already are not supported yet)"
        )
        yield Violation(SWITCH, "LOSS_MISMATCH", sentence)


def normalized_labels(config: Config) -> Iterator[Violation]:
    """Class numbers are not scaled.

    Differs: DLAE 1.0 scales them, which destroys them (D12).
    """
    kind, loss = config.preprocessing.normalization_type, config.loss_function.loss
    if kind.endswith("_xy") and loss in CLASSIFICATION_LOSSES:
        sentence = (
            f"expected '{kind.removesuffix('y')}' because {loss} needs class numbers, got "
            f"'{kind}', which scales the annotations too"
        )
        yield Violation(NORMALIZATION, "CONTRADICTION", sentence)


def intensities(config: Config) -> Iterator[Violation]:
    """Global scaling has its two ends, for annotations too where they are scaled."""
    settings = config.preprocessing
    if not settings.normalization_type.startswith("global_"):
        return
    needed = 2 if settings.normalization_type.endswith("_xy") else 1
    low, high = settings.minimum_image_intensity, settings.maximum_image_intensity
    for key, values in (("minimum_image_intensity", low), ("maximum_image_intensity", high)):
        if len(values) < needed:
            sentence = (
                f"expected two values (images, annotations) because normalization_type is "
                f"{settings.normalization_type}, got {len(values)}"
            )
            yield Violation(f"preprocessing.{key}", "WRONG_LENGTH", sentence)
    for bottom, top in list(zip(low, high, strict=False))[:needed]:
        if not bottom < top:
            sentence = f"expected more than minimum_image_intensity ({bottom:g}), got {top:g}"
            yield Violation("preprocessing.maximum_image_intensity", "CONTRADICTION", sentence)


def degenerate_parameters(config: Config) -> Iterator[Violation]:
    """Warns of parameters with which the loss is of no use."""
    settings = config.loss_function
    keys, consequence = _DEGENERATE.get(settings.loss, ((), ""))
    if keys and all(settings.HasField(key) and getattr(settings, key) == 0 for key in keys):
        sentence = f"0 is a poor choice for {settings.loss}: {consequence}; leave it out"
        yield Violation(f"loss_function.{keys[0]}", "DEGENERATE_LOSS", sentence)


def undone_centering(config: Config) -> Iterator[Violation]:
    """Warns of centering that a later normalization undoes (D17)."""
    kind, switches = config.preprocessing.normalization_type, config.augmentation
    rows = (
        ("samplewise_centering_switch", switches.samplewise_centering_switch),
        ("samplewise_normalization_switch", switches.samplewise_normalization_switch),
    )
    for key, switch in rows:
        if switch and kind.startswith("samplewise_"):
            sentence = f"has no effect because normalization_type {kind} rescales each image after"
            yield Violation(f"augmentation.{key}", "NO_EFFECT", sentence)
