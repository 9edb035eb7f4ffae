"""Frames between the server and a model's process: a header as JSON, then raw bytes.

Layout: two unsigned 64-bit little-endian lengths (header, body), header, body.
"""

import json
import struct
from typing import Any

LENGTHS = struct.Struct("<QQ")


def packed(header: dict[str, Any], size: int) -> bytes:
    """Returns the beginning of a frame: lengths and header, for a body of `size` bytes."""
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), size) + text
