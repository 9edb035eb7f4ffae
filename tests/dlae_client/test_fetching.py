"""Fetched models: whole, checked, and never in the place of something else."""

from pathlib import Path

import pytest

from dlae_client import Client, DataLost, LocalFileError, NotFound
from tests.dlae_client.fakes import FILES, FakeServer


def _flip(server: FakeServer, name: str) -> None:
    content = bytearray(FILES[name])
    content[len(content) // 2] ^= 1
    server.models.sent[name] = bytes(content)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_gets_all_files(client: Client, tmp_path: Path) -> None:
    path = client.fetch("tissue", tmp_path / "new" / "model")
    assert _contents(path) == FILES
    assert [entry.name for entry in path.parent.iterdir()] == ["model"]


def test_a_keras_file_gets_the_network_alone(client: Client, tmp_path: Path) -> None:
    path = client.fetch("tissue@1", str(tmp_path / "tissue.keras"))
    assert _contents(tmp_path) == {"tissue.keras": FILES["model.keras"]}
    assert path == tmp_path / "tissue.keras"


def test_what_exists_is_replaced_only_where_that_is_asked(client: Client, tmp_path: Path) -> None:
    for name in ("tissue.keras", "tissue"):
        path = client.fetch("tissue", tmp_path / name)
        with pytest.raises(LocalFileError, match="exists already"):
            client.fetch("tissue", path)
        assert client.fetch("tissue", path, overwrite=True) == path
    assert _contents(tmp_path / "tissue") == FILES


def test_a_folder_with_other_things_is_never_replaced(client: Client, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(LocalFileError, match=r"holds more than a model \(thesis\.tex\)"):
        client.fetch("tissue", tmp_path, overwrite=True)
    with pytest.raises(LocalFileError, match="is a file"):
        client.fetch("tissue", tmp_path / "thesis.tex", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("name", ["tissue.keras", "tissue"])
def test_a_flipped_byte_is_noticed_and_the_old_model_stays(
    client: Client, server: FakeServer, tmp_path: Path, name: str
) -> None:
    path = client.fetch("tissue", tmp_path / name)
    before = _contents(path.parent if path.is_file() else path)
    _flip(server, "model.keras")
    with pytest.raises(DataLost, match=r"model\.keras arrived damaged") as caught:
        client.fetch("tissue", path, overwrite=True)
    assert caught.value.reason == "CHECKSUM"
    assert _contents(path.parent if path.is_file() else path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_file_that_does_not_come_is_noticed(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    del server.models.sent["history.csv"]
    with pytest.raises(DataLost, match=r"history\.csv"):
        client.fetch("tissue", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_not_announced_is_refused(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    server.models.sent["../evil"] = b"x"
    with pytest.raises(DataLost, match=r"\.\./evil"):
        client.fetch("tissue", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_model_does_not_have_is_not_found(client: Client, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"tissue@2 has no file 'weights\.h5'"):
        client.fetch("tissue", tmp_path / "w", "weights.h5")


def test_a_place_that_cannot_be_written_is_told(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalFileError, match="cannot write"):
        client.fetch("tissue", tmp_path / "file" / "model.keras")
