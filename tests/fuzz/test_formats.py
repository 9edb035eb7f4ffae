"""Files with damage of every format that DLAE takes: refused with a reason, or read.

`DLAE_FUZZ_INPUTS` says how many files there are of each format.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.formats import FORMATS
from tests.fuzz.inputs import COUNT, SEED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


GROUPS = (
    ("configuration", "layers", "tokens", "contexts", "bundle", "checkpoint"),
    ("samples", "arrival", "weights"),
    ("array", "arrays", "volume", "picture", "slices"),
)


def test_every_format_is_in_a_group() -> None:
    assert {name for group in GROUPS for name in group} == set(FORMATS)


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_no_file_makes_its_reader_fail(names: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.readers", ",".join(names), str(COUNT or 80)]
    done = subprocess.run(
        [*command, str(SEED), tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name, told in json.loads(done.stdout.splitlines()[-1]).items():
        assert told["outcomes"]["read"] > 0, name
        assert len(told["outcomes"]) > 1, name
        assert told["more descriptors"] <= 0, name
        assert told["peak MB"] < 2000, name
