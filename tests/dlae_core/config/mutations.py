"""Random damage to configurations: of their structure, of their values, of their text."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**64,
    10**400,
    0.1,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "None",
    "True",
    "nan",
    "-inf",
    "1e999",
    "1_0",
    "٣",
    "٣.5",
    "0x10",
    "1,",
    "(",
    ")",
    "((((1",
    "[(1, 2], 3)",
    "(1, (2, (3, (4,))))",
    "{1: 2}",
    "{1, 2}",
    "b'1'",
    "1 + 2",
    "1j",
    "__import__('os')",
    "9" * 5000,
    "(" * 5000,
    "1," * 20_000,
    "x" * 20_000,
    "\u0000",
    "\ud800",
    "é\u202e\U0001f600",
    "Input:(8, 8, 1)",
    ":::::",
    "'",
    "'a:b'",
    "C:\\a:b",
    [],
    [[]],
    [[[[]]]],
    [None],
    [True, "x", 1.5],
    ["(", ":", "Dense"],
    [1] * 3000,
    ["Dense:2"] * 3000,
    {},
    {"": ""},
    {"optimizer": {"optimizer": {}}},
    {"values": [1]},
)
CHARACTERS = "()[]{}:,.'\"\\ 0123456789-+eEnNaT\t\n_é\u0000"


def mutated_texts(sources: list[str], count: int, seed: int) -> Iterator[str]:
    """Returns damaged configurations, the same ones for the same seed.

    Args:
        sources: JSON texts of configurations.
        count: How many.
        seed: Of the damage.
    """
    draw = random.Random(seed)
    for _ in range(count):
        document = json.loads(draw.choice(sources))
        for _ in range(draw.randint(1, 4)):
            document = draw.choice(DOCUMENT_CHANGES)(draw, document)
        text = json.dumps(document)
        if draw.random() < 0.3:
            text = draw.choice(TEXT_CHANGES)(draw, text)
        yield text


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Returns every container with each of its keys or positions."""
    keys = document if isinstance(document, dict) else range(len(document))
    for key in list(keys):
        yield document, key
        if isinstance(document[key], (dict, list)):
            yield from _places(document[key])


def _place(draw: random.Random, document: Any) -> tuple[Any, Any] | None:
    found = list(_places(document)) if isinstance(document, (dict, list)) else []
    return draw.choice(found) if found else None


def _drop(draw: random.Random, document: Any) -> Any:
    if place := _place(draw, document):
        del place[0][place[1]]
    return document


def _replace(draw: random.Random, document: Any) -> Any:
    if place := _place(draw, document):
        place[0][place[1]] = copy.deepcopy(draw.choice(JUNK))
    return document


def _rename(draw: random.Random, document: Any) -> Any:
    place = _place(draw, document)
    if place and isinstance(place[0], dict):
        container, key = place
        value = container.pop(key)
        names = (key.upper(), key.replace("_", " "), key[1:], key + "s", "", "\ud800", "x" * 5000)
        container[draw.choice(names)] = value
    return document


def _copy(draw: random.Random, document: Any) -> Any:
    """Puts one value in the place of another."""
    first, second = _place(draw, document), _place(draw, document)
    if first and second:
        first[0][first[1]] = copy.deepcopy(second[0][second[1]])
    return document


def _edit(draw: random.Random, document: Any) -> Any:
    """Changes characters of a text, most often of a layer."""
    found = list(_places(document)) if isinstance(document, (dict, list)) else []
    texts = [(box, key) for box, key in found if isinstance(box[key], str)]
    if texts:
        box, key = draw.choice(texts)
        for _ in range(draw.randint(1, 3)):
            box[key] = _edited(draw, box[key])
    return document


def _reorder(draw: random.Random, document: Any) -> Any:
    lists = [box[key] for box, key in _places(document) if isinstance(box[key], list)]
    if lists:
        chosen = draw.choice(lists)
        draw.shuffle(chosen)
        del chosen[draw.randint(0, len(chosen)) :]
    return document


def _prebuilt(draw: random.Random, document: Any) -> Any:
    """Names a prebuilt network, with or without the layers that are there."""
    names = ("unet2d", "ssd", "pix2pix", "lenet5", "unet22d", "", "\ud800")
    if isinstance(document, dict) and isinstance(document.get("config_file"), dict):
        document["config_file"]["prebuilt"] = draw.choice(names)
        if draw.random() < 0.7:
            document.pop("layers", None)
    return document


def _wrap(draw: random.Random, document: Any) -> Any:
    if place := _place(draw, document):
        value = place[0][place[1]]
        for _ in range(draw.choice((1, 2, 50))):
            value = [value]
        place[0][place[1]] = value
    return document


def _edited(draw: random.Random, text: str) -> str:
    position = draw.randint(0, len(text))
    kind = draw.randrange(4)
    if kind == 0:
        return text[:position] + draw.choice(CHARACTERS) + text[position:]
    if kind == 1:
        return text[:position] + text[position + 1 :]
    if kind == 2:
        return text[:position] + draw.choice(CHARACTERS) + text[position + 1 :]
    return text[:position] + text[draw.randint(0, len(text)) :]


def _twice(draw: random.Random, text: str) -> str:
    """Writes a key again."""
    starts = [position for position, character in enumerate(text) if character == "{"]
    if not starts:
        return text
    position = draw.choice(starts) + 1
    end = text.find(",", position)
    return text[:position] + text[position:end] + "," + text[position:] if end > 0 else text


def _truncate(draw: random.Random, text: str) -> str:
    return text[: draw.randint(0, len(text))]


def _digits(draw: random.Random, text: str) -> str:
    """Puts a number there that has more digits than Python reads."""
    position = text.find(": ", draw.randint(0, len(text))) + 2
    return text[:position] + "9" * 5000 + text[position:]


def _nest(draw: random.Random, text: str) -> str:
    depth = draw.choice((1, 100, 100_000))
    return "[" * depth + text + "]" * depth


Change = Callable[[random.Random, Any], Any]
# Editing texts is what finds most; it comes more often.
DOCUMENT_CHANGES: tuple[Change, ...] = (
    _drop,
    _replace,
    _replace,
    _rename,
    _copy,
    _edit,
    _edit,
    _edit,
    _reorder,
    _prebuilt,
    _wrap,
)
TEXT_CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    _edited,
    _twice,
    _truncate,
    _digits,
    _nest,
)
