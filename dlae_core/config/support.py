"""What the engine does not do yet, refused where it would matter.

Whoever builds one of them removes its row. What nothing acts on and has no row here would be
ignored in silence.
"""

from collections.abc import Iterator

from dlae.v1.config_pb2 import Config
from dlae_core.config import loss_rules
from dlae_core.config.rule import Rule
from dlae_core.errors import Violation

MODEL = "config_file.model_signal"
HARDWARE = "training_configurations.hardware"
JIT_COMPILE = "training_configurations.jit_compile_switch"


def _several_devices(config: Config) -> Iterator[Violation]:
    """What trains on one device only.

    Differs: DLAE 1.0 trained GANs on one device whatever the hardware says (N7).
    """
    settings = config.training_configurations
    if settings.hardware != "multi-gpu":
        return
    if config.config_file.model_signal == "GAN":
        sentence = (
            "expected 'gpu' or 'cpu' because model_signal is 'GAN', got 'multi-gpu'; GANs train on "
            "one device"
        )
        yield Violation(HARDWARE, "NOT_SUPPORTED_YET", sentence)
    if settings.jit_compile_switch:
        sentence = "expected False because hardware is 'multi-gpu', got True"
        yield Violation(JIT_COMPILE, "NOT_SUPPORTED_YET", sentence)


# What finds the settings of a resolved configuration that would be ignored.
UNSUPPORTED = (
    Rule((loss_rules.LOSS, loss_rules.SWITCH), loss_rules.one_hot_files),
    Rule((MODEL, HARDWARE), _several_devices),
)
