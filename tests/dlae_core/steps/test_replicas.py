"""Steps on several devices: the numbers of one, whatever the loss and however batches fall."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.keras, pytest.mark.slow]

REPLICAS = (1, 3)
CASES = ("dice", "classes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replicas")
    program = [sys.executable, "-m", "tests.dlae_core.steps.on_replicas", str(path)]
    for replicas in REPLICAS:
        subprocess.run([*program, str(replicas)], check=True, capture_output=True)
    return path


def _arrays(path: Path) -> Mapping[str, Any]:
    return dict(np.load(path))


@pytest.mark.parametrize("case", CASES)
def test_three_devices_train_as_one_does(folder: Path, case: str) -> None:
    one, several = (_arrays(folder / f"{case}-{replicas}.npz") for replicas in REPLICAS)
    assert one.keys() == several.keys()
    for name, expected in one.items():
        np.testing.assert_allclose(several[name], expected, rtol=1e-4, atol=2e-5, err_msg=name)


def test_random_layers_draw_other_numbers_on_every_device(folder: Path) -> None:
    first, second, _ = _arrays(folder / "dropped.npz")["output"]
    assert set(first) == set(second) == {0.0, 2.0}
    assert 16 < (first != second).sum() < 48
