"""Trained models: the registry of bundles."""
