"""Rules about GANs, and about metrics of images."""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config.loss_kinds import REGRESSION_LOSSES
from dlae_core.errors import Violation

POOL = "training_configurations.image_pool"
BATCH = "training_configurations.batch_size"
TABLE = "paths.split_groups"
UNPAIRED = "training_configurations.unpaired_switch"
PLATEAU = "learning_rate_schedule.decay_on_plateau_switch"
OF_IMAGES = ("monitors.psnr_switch", "monitors.ssim_switch")
OF_PAIRS = (*OF_IMAGES, "monitors.mse_switch", "monitors.mae_switch")


def pool_of_batches(config: Config) -> Iterator[Violation]:
    """The pool holds at least a batch."""
    settings = config.training_configurations
    if config.config_file.model_signal == "GAN" and 0 < settings.image_pool < settings.batch_size:
        sentence = (
            f"expected 0 or at least the batch_size ({settings.batch_size}), got "
            f"{settings.image_pool}"
        )
        yield Violation(POOL, "OUT_OF_RANGE", sentence)


def unpaired_images(config: Config) -> Iterator[Violation]:
    """Only cycleGAN learns from images that do not pair, and then nothing compares them."""
    if not config.training_configurations.unpaired_switch:
        return
    loss = config.loss_function.loss
    if loss != "cyclegan":
        sentence = f"expected False because {loss} compares each X with the y of its name, got True"
        yield Violation(UNPAIRED, "LOSS_MISMATCH", sentence)
        return
    if config.paths.split_groups:
        sentence = (
            "expected none because names in two files that do not pair (unpaired_switch) are not "
            "those of one table, got a file; split_group names an attribute of both files"
        )
        yield Violation(TABLE, "CONTRADICTION", sentence)
    for path in OF_PAIRS:
        if getattr(config.monitors, path.partition(".")[2]):
            sentence = "expected False because no y is that of an X (unpaired_switch), got True"
            yield Violation(path, "CONTRADICTION", sentence)


def metrics_of_images(config: Config) -> Iterator[Violation]:
    """Metrics of images are asked for where the network gives images."""
    model, loss = config.config_file.model_signal, config.loss_function.loss
    if model == "GAN" or (model == "FCN" and loss in REGRESSION_LOSSES):
        return
    for path in OF_IMAGES:
        if getattr(config.monitors, path.partition(".")[2]):
            sentence = "expected False because the network gives no images of values, got True"
            yield Violation(path, "CONTRADICTION", sentence)


def idle_settings(config: Config) -> Iterator[Violation]:
    """Warns of what acts only in, or only outside of, GANs."""
    is_gan = config.config_file.model_signal == "GAN"
    if not is_gan and config.training_configurations.image_pool:
        sentence = "has no effect because model_signal is not GAN"
        yield Violation(POOL, "NO_EFFECT", sentence)
    if is_gan and config.learning_rate_schedule.decay_on_plateau_switch:
        sentence = "has no effect because model_signal is GAN"
        yield Violation(PLATEAU, "NO_EFFECT", sentence)
