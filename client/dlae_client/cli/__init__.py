"""The command line: one file per command, each of them flags, one call, one print."""
