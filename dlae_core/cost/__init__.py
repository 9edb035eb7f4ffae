"""What training a configuration takes: memory at its peak and time of a step."""

from dlae_core.cost.training_cost import Cost, estimate

__all__ = ["Cost", "estimate"]
