"""Detection of structures of a brain by boxes."""
