"""The layer language and what its layers become. `language` is light; the rest knows Keras."""
