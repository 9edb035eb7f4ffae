"""Ways out of the data roots, and what an answer about them tells."""

from pathlib import Path

import pytest

from dlae.v1.config_pb2 import Config
from dlae_server.datasets.roots import path_violations


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "X.h5").touch()
    (tmp_path / "outside.h5").touch()
    return folder


def found(path: Path | str, root: Path) -> list[tuple[str, str]]:
    config = Config()
    config.paths.train_x = str(path)
    rows = list(path_violations(config, [root]))
    assert all(row.path == "paths.train_X" for row in rows)
    return [(row.reason, row.message.replace(str(path), "FILE")) for row in rows]


def reasons(path: Path | str, root: Path) -> list[str]:
    return [reason for reason, _ in found(path, root)]


def test_a_file_in_a_root_is_allowed_also_by_a_link_within(root: Path) -> None:
    (root / "link.h5").symlink_to(root / "X.h5")
    assert found(root / "X.h5", root) == found(root / "link.h5", root) == []


def test_a_root_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert found(tmp_path / "alias" / "X.h5", tmp_path / "alias") == []


def test_an_answer_about_the_outside_does_not_tell_what_exists(root: Path) -> None:
    there, missing = root.parent / "outside.h5", root.parent / "missing.h5"
    assert found(there, root) == found(missing, root)
    assert reasons(there, root) == ["OUTSIDE_DATA_ROOTS"]


def test_links_and_dots_lead_nowhere_else(root: Path) -> None:
    (root / "there.h5").symlink_to(root.parent / "outside.h5")
    (root / "missing.h5").symlink_to(root.parent / "missing.h5")
    (root / "up").symlink_to(root.parent)
    paths = ("there.h5", "missing.h5", "up/outside.h5", "up/missing.h5", "../outside.h5")
    assert {tuple(found(root / path, root)) for path in paths} == {
        tuple(found(root.parent / "outside.h5", root))
    }


def test_a_folder_whose_name_begins_like_a_root_is_outside(root: Path) -> None:
    twin = root.with_name("root2")
    twin.mkdir()
    (twin / "X.h5").touch()
    assert reasons(twin / "X.h5", root) == ["OUTSIDE_DATA_ROOTS"]
