"""References to what a server holds, where a path could stand."""

# The last checkpoint of a job, and of the job that made a model.
JOB, MODEL = "job:", "model:"


def is_reference(text: str) -> bool:
    """Returns whether a text names something that the server holds, not a file."""
    return text.startswith((JOB, MODEL))
