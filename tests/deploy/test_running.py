"""The way of a replica for prediction, with the server's real commands and no containers."""

import shutil
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from dlae_server.access.tokens import create
from tests.deploy.files import DEPLOY
from tests.dlae_server.inside import serving

HEALTHY = DEPLOY / "healthy.py"


def healthy(address: str) -> int:
    """Returns how the health check ends."""
    environment = {"DLAE_REST_ADDRESS": address, "PATH": ""}
    return subprocess.run([sys.executable, HEALTHY], env=environment, check=False).returncode


@pytest.mark.slow
def test_a_replica_serves_what_a_backup_holds_and_lets_in_who_has_a_token(tmp_path: Path) -> None:
    folder, replica, backup = (tmp_path / name for name in ("data", "replica", "backup"))
    token = create(tmp_path / "tokens", "gateway", "predictor")[1]

    def server(data_dir: Path, *words: object) -> None:
        command = [sys.executable, "-m", "dlae_server.main", "--data-dir", data_dir, *words]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)

    with serving(folder):
        server(folder, "backup", backup)
    replica.mkdir()
    server(replica, "restore", backup)
    shutil.copy(tmp_path / "tokens" / "tokens.json", replica)
    (replica / "tokens.json").chmod(0o600)
    with serving(replica, require_tokens=True, rest_address="127.0.0.1:0") as facts:
        assert healthy(facts["rest"]) == 0
        # As the proxy beside it asks.
        with closing(HTTPConnection(facts["rest"], timeout=10)) as connection:
            for own, status in (({}, 401), ({"authorization": f"Bearer {token}"}, 404)):
                connection.request("GET", "/v2/models/tissue", headers={"Host": "127.0.0.1"} | own)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == status
    assert healthy(facts["rest"]) == 1
