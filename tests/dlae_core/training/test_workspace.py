"""One process in one workspace."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlae_core.errors import StorageFailed

pytestmark = pytest.mark.keras

HOLDER = """
import sys, time, importlib.util
spec = importlib.util.spec_from_file_location("workspace", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from pathlib import Path
with module.held(Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    from dlae_core.training import workspace

    command = [sys.executable, "-c", HOLDER, workspace.__file__, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        refused = pytest.raises(StorageFailed, match="found another process")
        with refused, workspace.held(tmp_path, wait_seconds=0):
            pass
        holder.kill()
        start = time.monotonic()
        with workspace.held(tmp_path):
            assert time.monotonic() - start < 5


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    from dlae_core.training.workspace import held

    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageFailed, match="cannot make the folder"),
        held(tmp_path / "file" / "w"),
    ):
        pass
