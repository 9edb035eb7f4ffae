"""Weights of other trainings: taken over, and kept as they are."""
