"""Bounding-box detection: anchors, targets, decoding, evaluation. Imports no Keras."""
