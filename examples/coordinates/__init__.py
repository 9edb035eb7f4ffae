"""Regression of coordinates: landmarks of a brain."""
