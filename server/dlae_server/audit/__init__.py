"""The audit log: who did what with which model and data, in a chain of hashes."""
