"""How jobs are to be treated, checked; and whether a request is a repetition."""

import hashlib
import re

from google.protobuf.message import Message

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest

PRIORITIES = range(-100, 101)
LABELS = 20
LENGTH = 100
LABEL = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}")
NUMBERS = ("cores", "gpus", "time_limit_seconds", "memory_limit_bytes", "machines")


def checked_options(options: pb.JobOptions) -> pb.JobOptions:
    """Returns options that are allowed.

    Raises:
        InvalidRequest: They are not.
    """
    for name in ("request_id", "user"):
        value = getattr(options, name)
        if len(value) > LENGTH or not value.isprintable():
            raise InvalidRequest(
                f"expected options.{name} of at most {LENGTH} printable characters, got "
                f"{value[:40]!r}"
            )
    if options.priority not in PRIORITIES:
        raise InvalidRequest(f"expected options.priority from -100 to 100, got {options.priority}")
    for name in NUMBERS:
        if getattr(options, name) < 0:
            raise InvalidRequest(
                f"expected options.{name} of 0 or more, got {getattr(options, name)}"
            )
    _check_labels(dict(options.labels))
    return options


def _check_labels(labels: dict[str, str]) -> None:
    if len(labels) > LABELS:
        raise InvalidRequest(f"expected at most {LABELS} labels, got {len(labels)}")
    for name, value in labels.items():
        if not LABEL.fullmatch(name):
            raise InvalidRequest(
                "expected names of labels of 1 to 63 lower-case letters, digits, '-', '_', '.' and "
                f"'/', starting with a letter or digit, got '{name[:80]}'"
            )
        if len(value) > LENGTH or not value.isprintable():
            raise InvalidRequest(
                f"expected a label {name} of at most {LENGTH} printable characters, got "
                f"{value[:40]!r}"
            )


def digest_of(request: Message) -> str:
    """Returns what two requests have in common only where they ask for the same."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
