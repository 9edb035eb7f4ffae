"""Configurations of models that something else trained: their files are of no concern."""

from dlae.v1.config_pb2 import Config
from dlae_core.config.check import check_config
from dlae_core.config.read import read_config
from dlae_core.config.references import INFERENCE
from dlae_core.config.resolve import complete_config, resolve_config
from dlae_core.errors import InvalidConfig, Violation

# Files to read and to write do not matter to a model that is trained.
_OF_FILES = ("paths.", "save_configurations.")


def adoptable(text: str) -> Config:
    """Returns a complete configuration that a model can be adopted with, as one of inference.

    It names no files, and its backbones begin with random weights: those of the model come.

    Raises:
        InvalidConfig: It has mistakes, or needs statistics of data that nobody has.
    """
    reading = read_config(text)
    completion = complete_config(reading.config, reading.switched_off)
    config = completion.config
    config.config_file.type_signal = INFERENCE
    found = [*reading.violations, *completion.violations, *check_config(config).violations]
    violations = [row for row in found if not row.path.startswith(_OF_FILES)]
    switches = config.augmentation
    if switches.featurewise_centering_switch or switches.featurewise_normalization_switch:
        sentence = (
            "expected preprocessing without statistics of the training data, got featurewise "
            "centering or normalization, whose statistics no file of a model holds; train it again"
        )
        violations.append(Violation("augmentation", "NO_STATISTICS", sentence))
    if violations:
        raise InvalidConfig(violations)
    return _without_files(config)


def _without_files(config: Config) -> Config:
    config.ClearField("paths")
    config.ClearField("save_configurations")
    for _, layers in config.layers.ListFields():
        for layer in layers:
            if layer.WhichOneof("type") == "backbone":
                layer.backbone.weights = "none"
    return resolve_config(config)
