"""Where the reference data of DLAE 1.0 lie, outside the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "shared" / "reference"


def reference_path(*parts: str) -> Path:
    """Returns a file of the reference data; skips the test where they are absent.

    With CI=true their absence is an error, so that no check is lost unseen.
    """
    if not ROOT.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the reference data are missing: expected ../shared/reference")
        pytest.skip("the reference data of DLAE 1.0 are not beside the repository")
    return ROOT.joinpath(*parts)
