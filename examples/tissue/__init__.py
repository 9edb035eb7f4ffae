"""Tissue segmentation of a brain."""
