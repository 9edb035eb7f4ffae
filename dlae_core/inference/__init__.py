"""Inference sessions: a model applied to every sample of a file."""

from dlae_core.inference.checking import check_session
from dlae_core.inference.session import infer

__all__ = ["check_session", "infer"]
