"""File names with the epoch and metrics in them."""

import pytest

from dlae_core.config.file_pattern import fields_of, filled


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("best.keras", "best.keras"),
        ("e{epoch}.keras", "e7.keras"),
        ("e{epoch:03d}-{val_loss:.2f}", "e007-0.25"),
        ("{val_loss}{loss:.1e}", "0.251.0e+00"),
        ("{loss:6.3f}", " 1.000"),
    ],
)
def test_fields_are_filled(pattern: str, name: str) -> None:
    fields_of(pattern)
    assert filled(pattern, 7, {"val_loss": 0.25, "loss": 1.0}) == name


@pytest.mark.parametrize(
    "pattern",
    [
        "{",
        "}",
        "{}",
        "{0.__class__}",
        "{epoch.__class__}",
        "{epoch!r}",
        "{epoch[0]}",
        "{epoch:{loss}}",
        "{epoch:1000000000d}",
        "{{epoch}}",
    ],
)
def test_anything_else_in_braces_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        fields_of(pattern)
