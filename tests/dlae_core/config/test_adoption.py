"""Configurations of models that something else trained."""

import json
from pathlib import Path

import pytest

from dlae_core.config.adoption import adoptable
from dlae_core.errors import InvalidConfig
from tests.sessions import config_text


def test_a_configuration_needs_no_data(tmp_path: Path) -> None:
    sections = json.loads(config_text(tmp_path))
    del sections["paths"]
    sections["save_configurations"] = {"save_model_switch": True}
    config = adoptable(json.dumps(sections))
    assert config.config_file.model_signal == "FCN"
    assert config.training_configurations.batch_size == 4
    assert config.config_file.type_signal == "Inference"


def test_what_names_files_is_not_kept(tmp_path: Path) -> None:
    assert str(tmp_path) in config_text(tmp_path)
    config = adoptable(config_text(tmp_path))
    assert str(tmp_path) not in str(config)
    assert not config.paths.train_x


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"augmentation__featurewise_centering_switch": True}, "no file of a model holds"),
        ({"augmentation__featurewise_normalization_switch": True}, "no file of a model holds"),
        ({"learning_rate_schedule__learning_rate": -1}, "learning_rate"),
        ({"layers__serial_layer_list": ["Input:(8, 8, 1)", "Nonsense"]}, "Nonsense"),
    ],
)
def test_mistakes_and_missing_statistics_are_told(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidConfig, match=sentence):
        adoptable(config_text(tmp_path, **change))
