"""Damaged configurations are refused with reasons, or are right; nothing else ever happens."""

import json
from pathlib import Path

import pytest

from dlae_core.config import complete_config, load_config, read_config, write_config
from dlae_core.config.legacy import write_legacy_config
from dlae_core.errors import InvalidConfig, Violation
from tests.dlae_core.config.examples import sections
from tests.dlae_core.config.mutations import mutated_texts
from tests.reference import ROOT

EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = [*sorted(ROOT.glob("*configs/*.json")), *sorted(EXAMPLES.glob("*/config*.json"))]
SOURCES = [*(path.read_text() for path in FILES), json.dumps(sections())]


def _check(text: str) -> bool:
    """Returns whether a configuration is right; fails where it is neither right nor refused."""
    try:
        loaded = load_config(text)
    except InvalidConfig as error:
        _check_violations(error.violations)
        return False
    assert set(loaded.origins.values()) <= {"file", "prebuilt", "rule", "default"}
    assert read_config(write_config(loaded.config)).config == loaded.config
    again = read_config(write_legacy_config(loaded.config))
    assert again.violations == ()
    return True


def _check_violations(violations: tuple[Violation, ...]) -> None:
    assert violations
    for row in violations:
        assert row.message.strip()
        assert row.reason.isupper()
        f"{row.path}{row.message}".encode()


def test_a_few_damaged_configurations_are_refused_or_right() -> None:
    assert {_check(text) for text in mutated_texts(SOURCES, 200, seed=2)} == {True, False}


@pytest.mark.slow
def test_ten_thousand_damaged_configurations_are_refused_or_right() -> None:
    right = sum(_check(text) for text in mutated_texts(SOURCES, 10_000, seed=1))
    assert 100 < right < 9_000


def test_every_configuration_that_is_read_can_be_completed() -> None:
    for text in mutated_texts(SOURCES, 200, seed=3):
        reading = read_config(text)
        completion = complete_config(reading.config, reading.switched_off)
        assert completion.config.HasField("layers")
