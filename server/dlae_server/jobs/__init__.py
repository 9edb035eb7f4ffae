"""Training jobs: store, supervisor and worker processes."""
