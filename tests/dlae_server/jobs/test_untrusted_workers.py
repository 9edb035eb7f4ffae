"""What a worker that a file has taken over may tell its server."""

from pathlib import Path
from typing import Any

import pytest

from dlae_server.jobs.run import require_own


def test_a_worker_hands_over_what_is_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "work" / "bundle").mkdir(parents=True)
    (tmp_path / "work" / "bundle" / "model.keras").touch()
    require_own({"result": {"bundle": str(tmp_path / "work" / "bundle")}}, tmp_path)
    require_own({"failure": {"reason": "FAKE", "message": "failed"}}, tmp_path)
    require_own({"cancelled": True}, tmp_path)
    require_own({}, tmp_path)


@pytest.mark.parametrize("name", ["../tokens.json", "/etc/passwd", "link", "bundle"])
def test_a_worker_hands_over_nothing_else(name: str, tmp_path: Path) -> None:
    job = tmp_path / "job"
    (job / "bundle").mkdir(parents=True)
    (job / "link").symlink_to("/etc/passwd")
    (job / "bundle" / "model.keras").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="a worker"):
        require_own({"result": {"file": str(job / name)}}, job)


@pytest.mark.parametrize(
    "message", [{"failure": 1}, {"failure": {"reason": 1, "message": ""}}, {"result": {}}]
)
def test_messages_of_another_form_are_told_from_those_of_workers(
    message: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises((ValueError, TypeError)):
        require_own(message, tmp_path)
