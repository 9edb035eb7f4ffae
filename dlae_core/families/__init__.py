"""The model families: what differs between them, and nothing else."""
