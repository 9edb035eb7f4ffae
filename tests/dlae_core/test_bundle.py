"""A trained model on disk."""

import hashlib
import json
from pathlib import Path

import pytest

from dlae_core.bundle import Bundle, Manifest, write_manifest, write_text
from dlae_core.errors import CorruptArtifact, IncompatibleArtifact, StorageFailed

FACTS = {
    "dlae_version": "2.0",
    "keras_version": "3.0",
    "create_time": "2026-01-01T00:00:00+00:00",
    "family": "FCN",
    "input_shape": (4, 4, 1),
    "output_shape": (4, 4, 2),
    "classes": 2,
    "parameters": 7,
    "metrics": {"loss": 0.5},
    "seed": 1,
    "preprocessing": {},
    "data": {"train_X": {"sha256": "0" * 64, "samples": 3}},
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "model.keras").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    write_manifest(tmp_path, FACTS)
    return tmp_path


def test_manifest_comes_back_as_it_was_written(bundle: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    assert {name: getattr(manifest, name) for name in FACTS} == FACTS
    assert manifest.files["model.keras"].sha256 == hashlib.sha256(b"weights").hexdigest()
    assert manifest.files["model.keras"].size_bytes == 7


@pytest.mark.parametrize("damage", [b"weightz", b"weight", b""])
def test_a_changed_file_is_found(bundle: Path, damage: bytes) -> None:
    (bundle / "model.keras").write_bytes(damage)
    with pytest.raises(CorruptArtifact, match=r"model\.keras is not what was written"):
        Bundle.open(bundle)


@pytest.mark.parametrize("name", ["model.keras", "manifest.json"])
def test_a_missing_file_is_found(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(CorruptArtifact, match=f"{name} cannot be read"):
        Bundle.open(bundle)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_a_broken_manifest_is_named(text: str) -> None:
    with pytest.raises(CorruptArtifact, match=r"manifest\.json"):
        Manifest.from_json(text)


def test_another_format_is_refused(bundle: Path) -> None:
    values = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(IncompatibleArtifact, match="format 99"):
        Bundle.open(bundle)


def test_files_outside_the_bundle_are_never_read(bundle: Path) -> None:
    values = json.loads((bundle / "manifest.json").read_text())
    values["files"]["../outside"] = values["files"].pop("model.keras")
    (bundle / "manifest.json").write_text(json.dumps(values))
    (bundle.parent / "outside").write_bytes(b"weights")
    with pytest.raises(CorruptArtifact, match="outside cannot be read"):
        Bundle.open(bundle)


def test_a_failed_write_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.csv"
    write_text(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFailed, match=r"history\.csv: No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["history.csv"]
