"""The state of a training on disk: written whole, verified when read, free of code."""
