"""Where the workers of jobs run: on this machine, or on those of a cluster."""
