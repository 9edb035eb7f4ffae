"""References to what a server holds, where a path could stand."""

import re

# The last checkpoint of a job, and of the job that made a model.
JOB, MODEL = "job:", "model:"
# A data file that the server keeps: by its name, or by its content.
DATASET, SHA256 = "dataset:", "sha256:"
# A session that predicts.
INFERENCE = "Inference"
# A model by its name alone, and perhaps a version or an alias.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}(@[a-z0-9._-]+)?")
_FILES = (".keras", ".h5", ".hdf5")


def is_reference(text: str) -> bool:
    """Returns whether a text names something that the server holds, not a file."""
    return text.startswith((JOB, MODEL))


def is_dataset_reference(text: str) -> bool:
    """Returns whether a text names a data file that the server keeps."""
    return text.startswith((DATASET, SHA256))


def is_model_reference(text: str) -> bool:
    """Returns whether `load_model` names a model of a server: it is no path, nor ends like a file.

    What exists under such a name beside the configuration goes first.
    """
    named = _NAME.fullmatch(text) is not None and not text.endswith(_FILES)
    return text.startswith(MODEL) or named
