"""The command `dlae-server weights`, and how workers learn of the folder."""

import hashlib
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import dlae_server.main
from dlae_core.backbones import weight_files
from dlae_core.backbones.weight_files import WeightFile
from dlae_server.main import main
from dlae_server.settings import Settings

MOBILENET = "mobilenet_1_0_224_tf_no_top.h5"
VGG16 = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
HDF5 = b"\x89HDF\r\n\x1a\nrest"


def _run(folder: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["--data-dir", str(folder), *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of weights whose checksum Keras does not publish."""
    path = tmp_path / MOBILENET
    path.write_bytes(HDF5)
    return path


def test_an_imported_file_lies_in_the_data_folder_and_is_listed(tmp_path: Path, file: Path) -> None:
    assert f"-          {MOBILENET}" in _run(tmp_path / "data", "weights", "list").output
    done = _run(tmp_path / "data", "weights", "import", file)
    assert done.output == f"installed {MOBILENET} in {tmp_path}/data/weights\n"
    folder = tmp_path / "data" / "weights"
    assert [path.name for path in folder.iterdir()] == [MOBILENET]
    assert (folder / MOBILENET).read_bytes() == HDF5
    listed = _run(tmp_path / "data", "weights", "list").output
    assert f"MobileNet          features    installed  {MOBILENET}\n" in listed
    assert listed.count("installed") == 1
    assert listed.count("\n") == 36


def test_the_operators_folder_takes_the_files(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLAE_WEIGHTS_DIR", str(tmp_path / "own"))
    assert _run(tmp_path / "data", "weights", "import", file).exit_code == 0
    assert (tmp_path / "own" / MOBILENET).is_file()
    assert not (tmp_path / "data").exists()


def test_a_file_is_imported_when_its_checksum_is_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / VGG16
    path.write_bytes(b"weights")
    published = WeightFile(VGG16, hashlib.md5(b"weights", usedforsecurity=False).hexdigest())
    monkeypatch.setitem(weight_files.BY_NAME, VGG16, published)
    assert _run(tmp_path / "data", "weights", "import", path).exit_code == 0


def test_nothing_is_imported_when_one_file_is_wrong(tmp_path: Path, file: Path) -> None:
    (tmp_path / VGG16).write_bytes(HDF5)
    done = _run(tmp_path / "data", "weights", "import", file, tmp_path / VGG16)
    assert done.exit_code == 1
    assert done.output == (
        f"Error: {tmp_path / VGG16} is not what Keras publishes under this name, going by its "
        "checksum; download it again\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("own.h5", "expected a file of ImageNet weights, got own.h5"),
        (VGG16, "there is no file"),
    ],
)
def test_unknown_names_and_missing_files_are_refused(
    tmp_path: Path, name: str, sentence: str
) -> None:
    done = _run(tmp_path / "data", "weights", "import", tmp_path / name)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, file: Path) -> None:
    (tmp_path / "data").write_text("a file")
    done = _run(tmp_path, "--weights-dir", tmp_path / "data" / "weights", "weights", "import", file)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: cannot write {MOBILENET} into {tmp_path}/data/weights")


@pytest.mark.parametrize("own", ["", "elsewhere"])
def test_workers_look_into_the_folder_of_the_server(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Settings, str]] = []

    async def serve(settings: Settings) -> None:
        seen.append((settings, os.environ["DLAE_WEIGHTS_DIR"]))

    monkeypatch.setattr(dlae_server.main, "serve_until_signal", serve)
    monkeypatch.setenv("DLAE_WEIGHTS_DIR", str(tmp_path / own) if own else "")
    monkeypatch.setenv("DLAE_LISTEN", "127.0.0.1:7")
    done = _run(tmp_path / "data", "--no-metrics")
    assert done.exit_code == 0
    ((settings, folder),) = seen
    assert folder == str(tmp_path / (own or "data/weights"))
    assert (settings.listen, settings.metrics_port) == ("127.0.0.1:7", None)
