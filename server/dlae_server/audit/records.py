"""One record as one line: canonical JSON that ends in its own hash.

    {"call":"...","key":"ID","mac":"MAC","previous":"HASH","seq":7,...,"hash":"HASH"}

`hash` is the SHA-256 of the line without its last member, `hash` itself; `mac`, where there is a
key, is the HMAC-SHA-256 of what the line would be without `mac` and `hash`. All members but `hash`
are sorted, without blanks, in UTF-8: there is one way to write a record.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from dlae_server.errors import InvalidRequest

Facts: TypeAlias = Mapping[str, Any]

# What the first record has in the place of the hash of the one before.
NOTHING = "0" * 64
HEX = re.compile(r"[0-9a-f]{64}")
_POSITION = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


class BadRecord(ValueError):
    """A line that is no record; the message says why."""


@dataclass(frozen=True)
class Position:
    """Where in the chain a record is: its number and its hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parsed(cls, text: str) -> "Position":
        """Returns what `SEQ:HASH` says.

        Raises:
            InvalidRequest: It says nothing of the kind.
        """
        match = _POSITION.fullmatch(text)
        if match is None:
            raise InvalidRequest(
                f"expected SEQ:HASH, as `dlae-server audit show --tip` prints it, got '{text[:80]}'"
            )
        return cls(int(match[1]), match[2])


BEGINNING = Position(0, NOTHING)


class Key:
    """What records are signed with.

    Attributes:
        id: Tells keys apart, and nothing else of them.
    """

    def __init__(self, secret: bytes) -> None:
        self._hmac = hmac.new(secret, digestmod=hashlib.sha256)
        self.id = hashlib.sha256(b"dlae audit key\0" + secret).hexdigest()[:16]

    def mac(self, facts: Facts) -> str:
        """Returns the signature of a record, without its own."""
        made = self._hmac.copy()
        made.update(canonical(facts))
        return made.hexdigest()

    def has_signed(self, facts: Facts) -> bool:
        """Returns whether a record has this key's signature."""
        unsigned = {name: value for name, value in facts.items() if name != "mac"}
        return hmac.compare_digest(self.mac(unsigned), str(facts.get("mac", "")))


@dataclass(frozen=True)
class Record:
    """A record that is what its hash says.

    Attributes:
        facts: All members but `hash`.
        hash: Its own.
    """

    facts: dict[str, Any]
    hash: str

    @property
    def position(self) -> Position:
        """Where it says that it is."""
        return Position(self.facts["seq"], self.hash)

    @property
    def previous(self) -> str:
        """Hash of the record before it."""
        return str(self.facts["previous"])

    @property
    def key(self) -> str:
        """Identifier of the key that it is signed with; empty: it is not signed."""
        return str(self.facts.get("key", ""))

    def whole(self) -> dict[str, Any]:
        """Returns all members."""
        return {**self.facts, "hash": self.hash}

    @property
    def line(self) -> str:
        """The record as it is written."""
        return _line(canonical(self.facts), self.hash).decode()


def canonical(facts: Facts) -> bytes:
    """Returns the one way to write an object."""
    # What JSON does not know is written as text: no record may fail for what it says.
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace")


def sealed(facts: Facts, after: Position, key: Key | None = None) -> tuple[bytes, Position]:
    """Returns the line of the record that comes after a position, and its own position."""
    whole = {**facts, "seq": after.seq + 1, "previous": after.hash}
    if key:
        whole["key"] = key.id
        whole["mac"] = key.mac(whole)
    body = canonical(whole)
    digest = hashlib.sha256(body).hexdigest()
    return _line(body, digest) + b"\n", Position(after.seq + 1, digest)


def opened(line: bytes) -> Record:
    """Returns the record of a line, without its line end.

    Raises:
        BadRecord: It is none, or not what its hash says.
    """
    try:
        facts = json.loads(line)
        digest = str(facts.pop("hash"))
        usable = type(facts["seq"]) is int and type(facts["previous"]) is str
        body = canonical(facts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRecord("is no record") from error
    if not usable:
        raise BadRecord("is no record")
    if hashlib.sha256(body).hexdigest() != digest:
        raise BadRecord(f"says that it is {facts['seq']}, and is not what its hash says")
    if _line(body, digest) != line:
        raise BadRecord(f"says that it is {facts['seq']}, and is not written as records are")
    return Record(facts, digest)


def now() -> str:
    """Returns the time in UTC as RFC 3339 has it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(body: bytes, digest: str) -> bytes:
    return body[:-1] + f',"hash":"{digest}"}}'.encode()
