"""Examples on real data, each with a configuration and one command."""
