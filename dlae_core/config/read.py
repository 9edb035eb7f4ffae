"""Reading: the JSON text of a configuration, in 1.0's spelling or native, to a message."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.document import JsonObject, read_document
from dlae_core.config.layer_text import LayerSyntaxError, parse_layer
from dlae_core.config.limits import length_violations, violations_of
from dlae_core.config.literals import MAX_CHARACTERS, UnreadableValue, read_value
from dlae_core.config.parts import read_parts, split_parts
from dlae_core.config.schema import Setting, assign, settings_of
from dlae_core.config.wording import nearest, shown
from dlae_core.errors import Violation

_MAX_KEYS = 1000
# Far more than any network is written with; a wrong list of this length is still read in a second.
_MAX_LAYERS, _MAX_LAYER_CHARACTERS = 2000, 500_000


@dataclass(frozen=True)
class Reading:
    """A configuration as it was read.

    Attributes:
        config: Only what the text gives. A layer that cannot be read is an empty message, so that
            the others keep their positions.
        violations: Everything that cannot be read or that the schema does not allow.
        doubtful: Paths of sections, settings and layers whose value is not known, because
            something is wrong with them or with a name that probably means them. `""`: all.
        switched_off: Paths of settings that the text says are `None`.
    """

    config: Config
    violations: tuple[Violation, ...] = ()
    doubtful: frozenset[str] = frozenset()
    switched_off: frozenset[str] = frozenset()


def read_config(text: str) -> Reading:
    """Reads a configuration; never raises for what stands in the text.

    Differs: DLAE 1.0 takes texts only, needs every key, ignores unknown keys, and stops at the
    first value it cannot convert.
    """
    config = Config()
    document = read_document(text)
    if isinstance(document, Violation):
        return Reading(config, (document,), frozenset([""]))
    reader = _Reader()
    reader.read_fields(config, document, "")
    return Reading(
        config,
        tuple(reader.violations),
        frozenset(reader.doubtful),
        frozenset(reader.switched_off),
    )


@dataclass
class _Reader:
    violations: list[Violation] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    switched_off: set[str] = field(default_factory=set)

    def read_fields(self, message: Message, given: JsonObject, path: str) -> None:
        """Reads the keys of an object into the fields of a message."""
        known = settings_of(message)
        for key, value in self._known_pairs(given, known, path):
            row = known[key]
            _READERS.get(row.kind, _Reader._read_plain)(
                self, message, row, value, _join(path, row.key)
            )

    def _known_pairs(
        self, given: JsonObject, known: Mapping[str, Setting], path: str
    ) -> Iterator[tuple[str, Any]]:
        if len(given.pairs) > _MAX_KEYS:
            sentence = f"expected at most {_MAX_KEYS} keys, got {len(given.pairs)}"
            self._refuse(path, "INVALID_VALUE", sentence)
            return
        names = [written.strip().replace(" ", "_") for written, _ in given.pairs]
        left = [key for key in known if key not in names]
        seen = set()
        for key, (_, value) in zip(names, given.pairs, strict=True):
            if key in seen:
                sentence = "expected every key once, got this one again"
                self._refuse(_join(path, key), "DUPLICATE_KEY", sentence)
            elif key in known:
                yield key, value
            else:
                self._refuse_unknown(key, left, list(known), path)
            seen.add(key)

    def _refuse_unknown(self, key: str, left: list[str], known: list[str], path: str) -> None:
        noun = f"a key of {path}" if path else "a section"
        meant = nearest(key, left)
        hint = f"; did you mean '{meant}'?" if meant else f"; known are {', '.join(known)}"
        self._refuse(_join(path, key), "UNKNOWN_KEY", f"expected {noun}, got {shown(key)}{hint}")
        if meant:
            self.doubtful.add(_join(path, meant))

    def _read_section(self, message: Message, row: Setting, given: object, path: str) -> None:
        if given is None:
            return
        if not isinstance(given, JsonObject):
            sentence = f"expected an object with the keys of the section, got {shown(given)}"
            self._refuse(path, "INVALID_VALUE", sentence)
            return
        section = getattr(message, row.name)
        section.SetInParent()
        self.read_fields(section, given, path)

    def _read_plain(self, message: Message, row: Setting, given: object, path: str) -> None:
        try:
            value = read_value(row, given)
        except UnreadableValue as error:
            self._refuse(path, "INVALID_VALUE", str(error))
            return
        found = violations_of(row, value, path)
        if found:
            self._refuse_all(path, found)
        else:
            assign(message, row, value)
            if value is None and isinstance(given, str) and given.strip():
                self.switched_off.add(path)

    def _read_parts(self, message: Message, row: Setting, given: object, path: str) -> None:
        if not _is_blank(given):
            self._read_text(getattr(message, row.name), row, given, path)

    def _read_parts_list(self, message: Message, row: Setting, given: object, path: str) -> None:
        if _is_blank(given):
            return
        items = given if isinstance(given, list) else [given]
        if found := length_violations(row, len(items), path):
            self._refuse_all(path, found)
            return
        for position, item in enumerate(items):
            inner = getattr(message, row.name).add()
            if not _is_blank(item):
                self._read_text(inner, row, item, f"{path}[{position}]")

    def _read_text(self, inner: Message, row: Setting, given: object, path: str) -> None:
        """Reads a text with colons, or an object with the same keys, into a message."""
        if isinstance(given, JsonObject):
            inner.SetInParent()
            self.read_fields(inner, given, path)
        elif not isinstance(given, str):
            such = f" such as '{row.default}'" if row.default else ""
            sentence = f"expected a text with colons{such}, got {shown(given)}"
            self._refuse(path, "INVALID_VALUE", sentence)
        elif len(given) > MAX_CHARACTERS:
            sentence = f"expected at most {MAX_CHARACTERS} characters, got {len(given)}"
            self._refuse(path, "INVALID_VALUE", sentence)
        else:
            inner.SetInParent()
            found = [
                Violation(_join(path, row.path), row.reason, f"{row.message}, in {shown(given)}")
                for row in read_parts(inner, split_parts(given))
            ]
            self._refuse_all(path, found)

    def _read_layers(self, message: Message, row: Setting, given: object, path: str) -> None:
        if _is_blank(given):
            return
        if not isinstance(given, list) or len(given) > _MAX_LAYERS:
            sentence = f"expected a list of at most {_MAX_LAYERS} layer strings, got {shown(given)}"
            self._refuse(path, "INVALID_VALUE", sentence)
            return
        length = sum(len(item) for item in given if isinstance(item, str))
        if length > _MAX_LAYER_CHARACTERS:
            sentence = f"expected at most {_MAX_LAYER_CHARACTERS} characters, got {length}"
            self._refuse(path, "INVALID_VALUE", sentence)
            return
        layers = getattr(message, row.name)
        for position, item in enumerate(given):
            layers.append(self._read_layer(item, f"{path}[{position}]"))

    def _read_layer(self, given: object, path: str) -> Layer:
        if not isinstance(given, str):
            sentence = f"expected a layer string such as 'Dense:10', got {shown(given)}"
            self._refuse(path, "INVALID_VALUE", sentence)
            return Layer()
        layer, found = _parsed(given)
        self._refuse_all(
            path, [Violation(_join(path, row.path), row.reason, row.message) for row in found]
        )
        return layer

    def _refuse(self, path: str, reason: str, message: str) -> None:
        # Keys come from the file: what is no text in UTF-8 must not reach a message or a log.
        printable = path[:200].encode("utf-8", "backslashreplace").decode()
        self._refuse_all(path, [Violation(printable, reason, message)])

    def _refuse_all(self, path: str, violations: list[Violation]) -> None:
        if violations:
            self.violations += violations
            self.doubtful.add(path)


_READERS = {
    "section": _Reader._read_section,
    "parts": _Reader._read_parts,
    "parts_list": _Reader._read_parts_list,
    "layer": _Reader._read_layers,
}


# Networks repeat their layers, and configurations are read more than once.
@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[Layer, tuple[Violation, ...]]:
    """Returns a layer that nobody may change, empty where it cannot be read, and why it cannot."""
    try:
        return parse_layer(text), ()
    except LayerSyntaxError as error:
        return Layer(), error.violations


def _is_blank(given: object) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key
