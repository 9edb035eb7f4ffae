"""A running server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dlae_server.processes import ServerProcess, killable


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that the tests of a module share."""
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    yield process
    process.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test may end."""
    with killable(tmp_path) as process:
        yield process


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests that start server processes as slow, so that the fast ones stay so."""
    for item in items:
        if "dlae_server" in item.nodeid and "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
