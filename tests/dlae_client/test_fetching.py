"""Fetched models: whole, checked, and never in the place of something else."""

from pathlib import Path

import pytest

from dlae_client import (
    Client,
    DataLost,
    InvalidRequest,
    LocalFileError,
    NotFound,
    ServerUnreachable,
)
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
    server.models.sent_as["history.csv"] = "../evil"
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


CHUNKS = [("model.keras", offset << 20) for offset in range(3)]


def test_a_call_that_breaks_off_goes_on_where_it_was(
    client: Client, server: FakeServer, tmp_path: Path
) -> None:
    server.models.breaks = [1, 1]
    path = client.fetch("tissue", tmp_path / "tissue.keras")
    assert path.read_bytes() == FILES["model.keras"]
    assert server.models.asked == CHUNKS


@pytest.mark.parametrize("name", ["tissue.keras", "tissue"])
def test_a_fetch_that_was_given_up_goes_on_when_it_is_asked_for_again(
    server: FakeServer, tmp_path: Path, name: str
) -> None:
    with Client(server.address, reconnect_seconds=0) as hasty:
        server.models.breaks = [1] if name == "tissue.keras" else [1 << 30] * 4 + [1]
        with pytest.raises(ServerUnreachable):
            hasty.fetch("tissue", tmp_path / name)
        assert not (tmp_path / name).exists()
        server.models.asked.clear()
        path = hasty.fetch("tissue", tmp_path / name)
    assert server.models.asked == CHUNKS[1:2]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == FILES["model.keras"] if path.is_file() else _contents(path) == FILES


def test_what_was_damaged_since_is_fetched_from_the_beginning(
    server: FakeServer, tmp_path: Path
) -> None:
    with Client(server.address, reconnect_seconds=0) as hasty:
        server.models.breaks = [2]
        with pytest.raises(ServerUnreachable):
            hasty.fetch("tissue", tmp_path / "t.keras")
        (part,) = tmp_path.iterdir()
        part.write_bytes(b"x" * part.stat().st_size)
        server.models.asked.clear()
        assert hasty.fetch("tissue", tmp_path / "t.keras").read_bytes() == FILES["model.keras"]
    assert server.models.asked == [CHUNKS[2], CHUNKS[0]]


def test_what_was_begun_of_another_version_goes(client: Client, tmp_path: Path) -> None:
    (tmp_path / ".tissue.0123456789ab.part").mkdir()
    (tmp_path / ".other.0123456789ab.part").touch()
    client.fetch("tissue", tmp_path / "tissue")
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left == {"tissue", ".other.0123456789ab.part"}


def test_a_form_that_the_model_has_not_is_told_with_the_way_out(
    client: Client, tmp_path: Path
) -> None:
    path = client.export("tissue", "keras", tmp_path / "network")
    assert path.read_bytes() == FILES["model.keras"]
    with pytest.raises(NotFound, match="tissue@2 cannot be said in ONNX"):
        client.export("tissue", "onnx", tmp_path / "x.onnx")
    with pytest.raises(InvalidRequest, match="expected 'keras' or 'onnx', got 'h5'"):
        client.export("tissue", "h5", tmp_path / "x")
