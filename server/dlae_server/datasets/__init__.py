"""Data files that configurations may name."""
