"""What a setting changes of predictions."""

from pathlib import Path
from typing import Any

from dlae_core.config import load_config
from dlae_core.prediction.options import options_of


def predicting(text: str, work: Path) -> Any:
    """How a model predicts that keeps the configuration."""
    return options_of(load_config(text).config)
