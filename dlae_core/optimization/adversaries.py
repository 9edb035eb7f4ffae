"""The optimizers of a GAN in the form that those of one network have."""

from typing import Literal

from dlae.v1.config_pb2 import Config, LearningRateSchedule, Optimizer

Adversary = Literal["discriminator", "gan"]


def settings_of_adversary(
    config: Config, adversary: Adversary
) -> tuple[Optimizer, LearningRateSchedule]:
    """Returns what `build_optimizer` and `LearningRate` take for one side of a GAN.

    Update rule, its numbers, rate and decay are those of `<adversary>_optimizer` and
    `<adversary>_learning_rate`; clipping, weight decay, warm-up, steps and cosine are shared.
    Two discriminators need two optimizers and two learning rates.

    Differs: DLAE 1.0 takes the update rule of `optimizer.optimizer` (O1), and one optimizer for two
    discriminators, whose rates so fall twice as fast (O3). There as here, plateaus do not act.

    Args:
        config: Resolved.
        adversary: `gan` are the generators.
    """
    optimizer, schedule = Optimizer(), LearningRateSchedule()
    optimizer.CopyFrom(config.optimizer)
    schedule.CopyFrom(config.learning_rate_schedule)
    own = getattr(config.optimizer, f"{adversary}_optimizer")
    # None, which nothing can hold, must replace a number too.
    optimizer.ClearField("epsilon")
    for field, value in own.ListFields():
        setattr(optimizer, field.name, value)
    rate = getattr(config.learning_rate_schedule, f"{adversary}_learning_rate")
    schedule.learning_rate = rate.learning_rate
    schedule.learning_rate_decay_factor = rate.decay_factor
    schedule.decay_on_plateau_switch = False
    return optimizer, schedule
