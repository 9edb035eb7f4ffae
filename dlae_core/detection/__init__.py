"""Bounding-box detection: anchors. Imports no Keras."""
