"""Which data files a configuration may name."""

from pathlib import Path

import pytest

from dlae.v1.config_pb2 import Config
from dlae_server.datasets.roots import path_violations


def reasons(path: str | Path, root: Path) -> list[str]:
    """Returns what is wrong with a path."""
    config = Config()
    config.paths.train_x = str(path)
    return [violation.reason for violation in path_violations(config, [root])]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with a file, beside a file outside."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "X.h5").touch()
    (tmp_path / "secret.h5").touch()
    return folder


def test_a_file_inside_a_root_is_allowed(root: Path) -> None:
    assert reasons(root / "X.h5", root) == []
    assert reasons(root / "a" / ".." / "X.h5", root) == []


def test_a_relative_path_is_refused(root: Path) -> None:
    assert reasons("X.h5", root) == ["NOT_ABSOLUTE"]


def test_a_missing_file_inside_a_root_is_told(root: Path) -> None:
    assert reasons(root / "none.h5", root) == ["DATASET_NOT_FOUND"]
    assert reasons(root, root) == ["DATASET_NOT_FOUND"]


@pytest.mark.parametrize("name", ["../secret.h5", "../none.h5", "link.h5", "loop.h5"])
def test_what_is_outside_is_refused_whether_it_exists_or_not(root: Path, name: str) -> None:
    (root / "link.h5").symlink_to(root.parent / "secret.h5")
    (root / "loop.h5").symlink_to(root / "loop.h5")
    assert reasons(root / name, root) == ["OUTSIDE_DATA_ROOTS"]


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000])
def test_what_cannot_be_a_path_is_refused(root: Path, name: str) -> None:
    assert reasons(root / name, root) == ["OUTSIDE_DATA_ROOTS"]


def test_a_table_of_groups_is_read_from_the_roots_only(root: Path) -> None:
    (root / "groups.csv").touch()
    config = Config()
    for name, found in (("groups.csv", []), ("../secret.h5", ["OUTSIDE_DATA_ROOTS"])):
        config.paths.split_groups = str(root / name)
        violations = list(path_violations(config, [root]))
        assert [row.reason for row in violations] == found
        assert {row.path for row in violations} <= {"paths.split_groups"}


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ("none", []),
        ("imagenet", []),
        ("weights.h5", ["NOT_ABSOLUTE"]),
        ("{outside}", ["OUTSIDE_DATA_ROOTS"]),
        ("{inside}", []),
    ],
)
def test_weights_of_a_backbone_are_read_from_the_roots_only(
    root: Path, weights: str, found: list[str]
) -> None:
    path = weights.format(outside=root.parent / "secret.h5", inside=root / "X.h5")
    config = Config()
    config.layers.generator_layer_list.add(input={"shape": [32, 32, 3]})
    config.layers.generator_layer_list.add(backbone={"network": "VGG16", "weights": path})
    violations = list(path_violations(config, [root]))
    assert [row.reason for row in violations] == found
    assert {row.path for row in violations} <= {"layers.generator_layer_list[1].weights"}
    assert not any("datasets upload" in row.message for row in violations)
