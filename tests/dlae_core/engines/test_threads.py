"""Engines share the cores that there are, and no more."""

from pathlib import Path

import pytest

from dlae_core.engines import threads
from dlae_core.engines.threads import threads_of, usable_cores


@pytest.mark.parametrize(
    ("models", "available", "expected"),
    [(1, 64, 64), (2, 64, 32), (8, 64, 8), (32, 64, 4), (3, 2, 2), (2, 4, 4), (2, 1, 1), (0, 8, 8)],
)
def test_models_share_the_cores_but_have_four_where_there_are(
    models: int, available: int, expected: int
) -> None:
    assert threads_of(models, available) == expected


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 16), ("250000 100000", 3), ("50000 100000", 1), ("9900000 100000", 16)],
)
def test_a_containers_quota_counts(
    quota: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 16)
    path = tmp_path / "cpu.max"
    path.write_text(quota + "\n")
    assert usable_cores(path) == expected
    assert usable_cores(tmp_path / "none") == 16
