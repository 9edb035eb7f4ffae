"""The contract and the command that generates its code."""
