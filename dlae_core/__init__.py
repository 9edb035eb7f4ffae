"""The engine: configuration -> graph -> data -> training -> prediction.

Knows Keras; knows no network, no metrics endpoint and no terminal.
"""
