"""A server that is asked for everything at once for a while, with models that only double."""

import os

import numpy as np
import pytest

from benchmarks.soak import soak
from benchmarks.soak_clients import Served
from tests.dlae_server.processes import ServerProcess

SECONDS = float(os.environ.get("DLAE_SOAK_MINUTES", "10")) * 60
# Seconds between two calls of a client, on average: other tests need the machine meanwhile.
PAUSE = 0.6


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
def test_a_server_that_is_used_for_long_does_not_grow(server: ServerProcess) -> None:
    models = tuple(server.trained(name).name for name in ("one", "two", "three"))
    images = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    large = np.ones((1, 2100, 2100, 1), np.float32)
    listen, rest = server.facts["listen"], server.facts["rest"]
    found = soak(Served(server.process.pid, listen, rest, models, images, large), SECONDS, PAUSE)
    assert found["wrong"] == [], found
    assert found["too_much"] == [], found
    kinds = {name.split()[0] for name in found["calls"] if not name.endswith("EXHAUSTED")}
    assert len(kinds) == 8, found
