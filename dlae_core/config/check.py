"""Checking: everything that can be wrong with a complete configuration, all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_text import layer_violations
from dlae_core.config.limits import length_violations, violations_of
from dlae_core.config.read import Reading, read_config
from dlae_core.config.resolve import Origin, complete_config
from dlae_core.config.rule import Rule
from dlae_core.config.rules import ADVICE, RULES
from dlae_core.config.schema import settings_of, value_of
from dlae_core.config.support import UNSUPPORTED
from dlae_core.errors import InvalidConfig, Violation

Doubtful = frozenset[str]


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Attributes:
        violations: Mistakes; a configuration that has any cannot be used.
        warnings: What is probably not meant, but can be used.
        unsupported: What nothing acts on yet; networks can be built, but not trained.
    """

    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]
    unsupported: tuple[Violation, ...]


@dataclass(frozen=True)
class Loaded:
    """A configuration that is complete and free of mistakes.

    Attributes:
        config: All defaults filled in, a prebuilt network written out.
        warnings: What is probably not meant, but can be used.
        origins: Where every value came from, by path.
        unsupported: What nothing acts on yet: its networks can be built, but not trained.
    """

    config: Config
    warnings: tuple[Violation, ...]
    origins: Mapping[str, Origin]
    unsupported: tuple[Violation, ...] = ()


def check_config(config: Config) -> Findings:
    """Checks a resolved configuration: ranges, rules across settings, what is not supported."""
    return _check(config, frozenset())


def load_config(source: str | Config) -> Loaded:
    """Reads, completes and checks a configuration.

    Args:
        source: JSON text, or a message that need not be complete.

    Raises:
        InvalidConfig: It has mistakes; tells all of them at once, and what is not supported too.
    """
    reading = read_config(source) if isinstance(source, str) else Reading(source)
    completion = complete_config(reading.config, reading.switched_off)
    findings = _check(completion.config, reading.doubtful | completion.doubtful)
    violations = reading.violations + completion.violations + findings.violations
    if violations:
        raise InvalidConfig(violations + findings.unsupported)
    return Loaded(completion.config, findings.warnings, completion.origins, findings.unsupported)


def _check(config: Config, doubtful: Doubtful) -> Findings:
    """Checks what is known: one mistake must not come back as another one."""
    alone = _known(_schema_violations(config, ""), doubtful)
    # A message, unlike a text, can hold values and layers that the schema does not allow.
    doubtful |= {violation.path.partition("[")[0] for violation in alone}
    across, warnings, unsupported = (
        tuple(_known(_apply(rules, config, doubtful), doubtful))
        for rules in (RULES, ADVICE, UNSUPPORTED)
    )
    return Findings((*alone, *across), warnings, unsupported)


def _known(violations: Iterable[Violation], doubtful: Doubtful) -> list[Violation]:
    return [row for row in violations if not _is_doubtful(row.path, doubtful)]


def _apply(rules: Iterable[Rule], config: Config, doubtful: Doubtful) -> list[Violation]:
    return [
        violation
        for rule in rules
        if not any(_is_doubtful(path, doubtful) for path in rule.paths)
        for violation in rule.find(config)
    ]


def _is_doubtful(path: str, doubtful: Doubtful) -> bool:
    return any(
        not place or path == place or path.startswith((f"{place}.", f"{place}["))
        for place in doubtful
    )


def _schema_violations(message: Message, prefix: str) -> list[Violation]:
    found: list[Violation] = []
    for row in settings_of(message).values():
        value, path = value_of(message, row), prefix + row.key
        if row.kind in ("section", "parts"):
            found += _schema_violations(getattr(message, row.name), f"{path}.")
        elif row.kind == "parts_list":
            found += length_violations(row, len(value or ()), path)
            for position, inner in enumerate(value or ()):
                found += _schema_violations(inner, f"{path}[{position}].")
        elif row.kind == "layer":
            for position, layer in enumerate(value or ()):
                found += layer_violations(layer, f"{path}[{position}]")
        else:
            found += violations_of(row, value, path)
    return found
