"""The files that the data commands read: configurations and pairs of HDF5 files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dlae.v1.config_pb2 import Config
from dlae_client.configuration import read_text
from dlae_client.errors import InvalidConfiguration, InvalidRequest
from dlae_core.config import complete_config, load_config, read_config
from dlae_core.errors import InvalidConfig

if TYPE_CHECKING:
    from dlae_core.data.inspection import Expectation
    from dlae_core.data.source import PairedFiles

# What a configuration says about files matters to the server; so does what it cannot train yet.
_ELSEWHERE = ("paths.", "save_configurations.")
_NOT_YET = "NOT_SUPPORTED_YET"


def config_from_file(path: Path) -> Config:
    """Returns a configuration with everything filled in.

    Raises:
        InvalidConfiguration: It has mistakes that matter to the data.
        LocalFileError: The file cannot be read.
    """
    text = read_text(path)
    try:
        return load_config(text).config
    except InvalidConfig as error:
        mistakes = tuple(
            row
            for row in error.violations
            if row.reason != _NOT_YET and not row.path.startswith(_ELSEWHERE)
        )
        if mistakes:
            raise InvalidConfiguration(mistakes) from error
    return complete_config(read_config(text).config).config


def expectation_of(config: Config, pairs: "PairedFiles") -> "Expectation":
    """Returns what the network of a configuration expects of a data set.

    Raises:
        UnusableDataset: The first annotation cannot be read.
    """
    from dlae_core.data.expectation import expectation_from_config  # noqa: PLC0415 - needs h5py

    return expectation_from_config(config, pairs.annotations.shape(pairs.names[0]))


def require_pairs(config: Config) -> None:
    """Checks that images and annotations of a configuration pair.

    Raises:
        InvalidRequest: They do not.
    """
    if config.training_configurations.unpaired_switch:
        message = (
            "expected files that pair, but unpaired_switch says that they do not; "
            "`dlae-client validate` checks them"
        )
        raise InvalidRequest(message, "UNPAIRED")
