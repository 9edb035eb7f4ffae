"""Networks of the literature. `weight_files` is light; the rest knows Keras."""
