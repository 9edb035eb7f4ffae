"""Synthesis of images: tissue maps from T1-weighted slices, of pairs and without them."""
