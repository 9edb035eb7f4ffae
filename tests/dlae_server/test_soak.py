"""A server that is asked for everything at once for a while, with models that only double."""

import os

import numpy as np

from benchmarks.soak import soak
from benchmarks.soak_clients import Served
from tests.dlae_server.processes import ServerProcess

# CI has some seconds; before a release, DLAE_SOAK_MINUTES=10.
SECONDS = float(os.environ.get("DLAE_SOAK_MINUTES", "0.3")) * 60


def test_a_server_that_is_used_for_long_does_not_grow(server: ServerProcess) -> None:
    models = tuple(server.trained(name).name for name in ("one", "two", "three"))
    images = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    large = np.ones((1, 2100, 2100, 1), np.float32)
    listen, rest = server.facts["listen"], server.facts["rest"]
    found = soak(Served(server.process.pid, listen, rest, models, images, large), SECONDS)
    assert found["wrong"] == [], found
    assert found["too_much"] == [], found
    kinds = {name.split()[0] for name in found["calls"] if not name.endswith("EXHAUSTED")}
    assert len(kinds) == 8, found
