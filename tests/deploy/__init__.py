"""The files that others run: what in them can be held against the code."""
