"""What the contract says of its messages and fields in words: the comments of the proto files."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from google.protobuf.descriptor import Descriptor


def comment_of(descriptor: Descriptor, field: str = "") -> str:
    """Returns the comment of a message, or of one of its fields; empty where it has none."""
    name = f"{descriptor.full_name}.{field}" if field else descriptor.full_name
    return _comments().get(name, "")


@cache
def _comments() -> Mapping[str, str]:
    text = files("dlae.v1").joinpath("comments.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found
