"""The contract of DLAE: its version and, in `dlae.v1`, the messages and services."""

__version__ = "2.0.0a1"
