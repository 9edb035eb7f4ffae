"""Networks of Keras with damage, read in a process of its own: refused with a reason, or taken.

`DLAE_FUZZ_INPUTS` says how many files are read; building one takes much longer than damaging it, so
that it is a hundredth of what other tests do.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.inputs import COUNT, SEED

pytestmark = [pytest.mark.slow, pytest.mark.keras, pytest.mark.timeout(3600)]


def test_no_network_makes_its_reader_fail(tmp_path: Path) -> None:
    count = str(max(COUNT // 100, 30))
    command = [sys.executable, "-m", "tests.fuzz.readers", "network,network of keras 2", count]
    done = subprocess.run(
        [*command, str(SEED), tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for told in json.loads(done.stdout.splitlines()[-1]).values():
        assert told["outcomes"]["read"] > 0
        assert len(told["outcomes"]) > 1
        assert told["more descriptors"] <= 0
