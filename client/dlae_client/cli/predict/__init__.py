"""`dlae-client predict`."""

from dlae_client.cli.predict.command import predict

__all__ = ["predict"]
