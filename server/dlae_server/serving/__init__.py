"""Serving: one process per loaded model."""
