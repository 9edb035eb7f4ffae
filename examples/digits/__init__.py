"""Classification of handwritten digits."""
