"""Inputs that nobody means well with: messages of any descriptor, and files with damage."""

import json
import os
import random
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

# Of each kind of input, in one run.
COUNT = int(os.environ.get("DLAE_FUZZ_INPUTS", "0"))
SEED = int(os.environ.get("DLAE_FUZZ_SEED", "1"))

WORDS = (
    *("", " ", "m", "m@1", "m@best", "m@0", "m@-1", "@", "no-such", "default", "../../etc/passwd"),
    *("/etc/passwd", "a" * 70, "a" * 70_000, "\0", "\n", "ü\u202e\U0001f600", "%s%n{0.__class__}"),
    *("' OR 1=1; --", "sha256:" + "0" * 64, "0" * 64, "f" * 63, "nan", "-1", "1e400", "NULL"),
    *("model.keras", "predictions.h5", "../model.keras", "keras", "{}", "[]", "{" * 3000),
    *("float32", "<f4", "|O", "object", "FP32", "BYTES", "input", "job:" + "a" * 12, "null"),
)
INTEGERS = (0, 1, 2, 3, 7, 64, 255, 1000, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 63) - 1)
NEGATIVE = (-1, -2, -(1 << 31), -(1 << 63))
NUMBERS = (
    0.0,
    -0.0,
    1.0,
    0.5,
    -1.0,
    1e-320,
    1e30,
    1e308,
    float("inf"),
    -float("inf"),
    float("nan"),
)

_UNSIGNED = (
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED32,
    FieldDescriptor.TYPE_FIXED64,
)
_DEEPEST = 4


class Fuzz:
    """A source of inputs, the same for the same seed.

    Args:
        seed: Of all that is drawn.
        words: Further texts, such as names that exist.
    """

    def __init__(self, seed: int, words: tuple[str, ...] = ()) -> None:
        self.random = random.Random(seed)
        self.words = (*WORDS, *words * 5)

    def message(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """Returns a message of a type, with any of its fields set to anything."""
        found = GetMessageClass(descriptor)()
        share = self.random.choice((0.1, 0.5, 0.9))
        for field in descriptor.fields:
            if self.random.random() < share and depth < _DEEPEST:
                self._fill(found, field, depth)
        return found

    def changed(self, message: Message) -> None:
        """Sets a field of a message, or of one in it, to anything."""
        kind = message.DESCRIPTOR
        if not kind.fields:
            return
        field = self.random.choice(kind.fields)
        if field.message_type and not field.is_repeated and self.random.random() < 0.8:
            # What is set stays set.
            self.changed(getattr(message, field.name))
            return
        message.ClearField(field.name)
        if self.random.random() < 0.8:
            self._fill(message, field, 1)

    def changed_json(self, text: bytes) -> bytes:
        """Returns JSON in which some values are others."""
        value = json.loads(text)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            self._change(value)
        return json.dumps(value).encode()

    def _change(self, value: Any) -> None:
        """Puts anything in the place of a part of a value, somewhere deep in it."""
        pick = self.random.choice
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = pick(keys)
        if isinstance(value[key], dict | list) and self.random.random() < 0.9:
            self._change(value[key])
        elif self.random.random() < 0.1:
            del value[key]
        else:
            numbers = (*INTEGERS, *NEGATIVE, *NUMBERS)
            value[key] = pick((pick(self.words), pick(numbers), None, True, [], {}, [[]], "None"))

    def mutated(self, data: bytes) -> bytes:
        """Returns bytes with damage of one kind or several."""
        for _ in range(self.random.choice((1, 1, 2, 5))):
            data = self.random.choice(DAMAGES)(self, data)
        return data

    def place(self, data: bytes) -> int:
        """Returns a place in some bytes."""
        return self.random.randrange(len(data) + 1)

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.is_repeated:
            self._fill_all(message, field, depth)
        elif field.message_type:
            getattr(message, field.name).CopyFrom(self.message(field.message_type, depth + 1))
        else:
            setattr(message, field.name, self._value(field))

    def _fill_all(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        items = getattr(message, field.name)
        for _ in range(self.random.choice((0, 1, 2, 5, 40))):
            kind = field.message_type
            if kind and kind.GetOptions().map_entry:
                entry = self.message(kind, depth + 1)
                if kind.fields_by_name["value"].message_type:
                    items[entry.key].CopyFrom(entry.value)
                else:
                    items[entry.key] = entry.value
            elif kind:
                items.append(self.message(kind, depth + 1))
            else:
                items.append(self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        kind, pick = field.cpp_type, self.random.choice
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = pick(self.words)
            is_text = field.type == FieldDescriptor.TYPE_STRING
            return text if is_text else self.random.randbytes(pick((0, 1, 4, 64, 256, 4096)))
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return pick((True, False))
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            return pick(NUMBERS)
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return pick((*field.enum_type.values_by_number, 99, -1))
        bits = 31 if kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32) else 63
        numbers = INTEGERS if field.type in _UNSIGNED else (*INTEGERS, *NEGATIVE)
        return pick([number for number in numbers if -(1 << bits) <= number < 1 << bits])


def _flip(fuzz: Fuzz, data: bytes) -> bytes:
    if not data:
        return data
    at = fuzz.random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << fuzz.random.randrange(8)]) + data[at + 1 :]


def _cut(fuzz: Fuzz, data: bytes) -> bytes:
    return data[: fuzz.place(data)]


def _splice(fuzz: Fuzz, data: bytes) -> bytes:
    return data[: fuzz.place(data)] + data[fuzz.place(data) :]


def _insert(fuzz: Fuzz, data: bytes) -> bytes:
    at = fuzz.place(data)
    return data[:at] + fuzz.random.randbytes(fuzz.random.choice((1, 4, 30))) + data[at:]


def _lengthen(fuzz: Fuzz, data: bytes) -> bytes:
    """Puts a number that may be a length where one may be."""
    at = fuzz.place(data)
    size = fuzz.random.choice((1, 2, 4, 8))
    number = fuzz.random.choice((0, 1, 255, 1 << 16, 1 << 31, (1 << 64) - 1)) % (1 << 8 * size)
    return (
        data[:at] + number.to_bytes(size, fuzz.random.choice(("little", "big"))) + data[at + size :]
    )


def _swap_text(fuzz: Fuzz, data: bytes) -> bytes:
    """Puts a text in the place of what stands between two separators."""
    separator = fuzz.random.choice((b'"', b":", b",", b" ", b"\n"))
    parts = data.split(separator)
    parts[fuzz.random.randrange(len(parts))] = fuzz.random.choice(fuzz.words).encode()
    return separator.join(parts)


DAMAGES: tuple[Callable[[Fuzz, bytes], bytes], ...] = (
    *(_flip, _flip, _cut, _splice, _insert, _lengthen, _swap_text),
)
