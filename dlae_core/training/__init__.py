"""Training: a configuration to a bundle, interrupted at any instant and gone on with."""

from dlae_core.training.session import train

__all__ = ["train"]
