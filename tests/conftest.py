"""What all tests share: property tests take the same examples in every run of CI.

Elsewhere they take new ones, so that what has not been thought of is found where somebody can look.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")


@pytest.fixture(scope="module", autouse=True)
def environment_is_put_back() -> Iterator[None]:
    """Takes back what a module's tests tell the environment: a server tells it of its folders."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module", autouse=True)
def networks_are_forgotten() -> Iterator[None]:
    """Gives back the memory of a module's networks: those of all tests together fill a machine."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
        gc.collect()
        # Of one C library only.
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)
