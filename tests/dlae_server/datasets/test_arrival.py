"""What a file is, found out in a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from dlae.v1.datasets_pb2 import Dataset
from dlae_core.errors import UnusableDataset
from dlae_server.datasets import arrival_worker
from dlae_server.datasets.arrival import Arrival
from tests.dlae_core.data.endless import write_endless_text


def problems(path: Path) -> str:
    """Returns what is wrong with a file."""
    with pytest.raises(UnusableDataset) as caught:
        arrival_worker.look(path)
    return str(caught.value)


def test_a_table_of_groups_is_one(tmp_path: Path) -> None:
    path = tmp_path / "g"
    path.write_text('name,group\n0,a\n"1","a"\n2,b\n', encoding="utf-8")
    assert arrival_worker.look(path) == {"kind": "KIND_GROUPS", "samples": 3, "forms": []}


def of_keras(path: Path, form: str) -> Path:
    """Writes what a file of Keras is known by."""
    if form in ("keras", "checkpoint"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5" if form == "keras" else "dlae/state.json", b"")
        return path
    with h5py.File(path, "w") as file:
        if form == "weights of Keras 2":
            file.attrs["layer_names"] = ["conv"]
        else:
            file.create_group("layers" if form == "weights" else "model_weights")
    return path


@pytest.mark.parametrize(
    "form", ["keras", "checkpoint", "weights", "weights of Keras 2", "model of Keras 2"]
)
def test_networks_and_weights_are_known_whatever_their_form(tmp_path: Path, form: str) -> None:
    path = of_keras(tmp_path / "f", form)
    assert arrival_worker.look(path) == {"kind": "KIND_NETWORK", "samples": 0, "forms": []}


def test_an_archive_of_something_else_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f", "w") as archive:
        archive.writestr("weights.pkl", b"")
    assert "found neither" in problems(tmp_path / "f")
    whole = of_keras(tmp_path / "f", "keras").read_bytes()
    # Where the list of entries begins, and how long it is.
    for at in range(len(whole) - 22, len(whole)):
        for byte in (0x00, 0x7F, 0xFF):
            (tmp_path / "f").write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            # Nothing else comes of it.
            with suppress(UnusableDataset):
                assert arrival_worker.look(tmp_path / "f")["kind"] == "KIND_NETWORK"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "found neither"),
        (b"hello\n", "found neither"),
        (b'{\n"paths": {}\n}\n', "found neither"),
        (b"\xff\xd8\xff\xe0 a picture", "found neither"),
        (b"0,a\0b\n", "found neither"),
        (b"0,a\n0,b\n", "two"),
        (b"\x89HDF\r\n\x1a\n and nothing", "HDF5"),
    ],
)
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    assert what in problems(path)


def test_files_that_show_other_files_are_refused(tmp_path: Path) -> None:
    secret, path = tmp_path / "secret.h5", tmp_path / "f"
    with h5py.File(secret, "w") as file:
        file["0"] = np.zeros(3)
    with h5py.File(path, "w") as file:
        file["0"] = h5py.ExternalLink(str(secret), "0")
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "0", (3,))
        file.create_virtual_dataset("1", layout)
        file.create_dataset("2", (3,), "f8", external=[(str(secret), 0, 24)])
    told = problems(path)
    assert told.count("in another file") == 2
    assert "found a link" in told


def test_forms_are_counted_the_most_frequent_first(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with h5py.File(path, "w") as file:
        for number in range(30):
            shape = (2, 2) if number < 6 else (number, 1)
            file[str(number)] = np.zeros(shape, np.float32 if number < 5 else np.int16)
    found = arrival_worker.look(path)
    assert (found["samples"], len(found["forms"])) == (30, arrival_worker.MOST_FORMS)
    assert found["forms"][0] == {"shape": [2, 2], "dtype": "float32", "samples": 5}


def looked(path: Path, program: str = "") -> Dataset:
    """Has a process look into a file."""

    async def look() -> Dataset:
        command = (sys.executable, "-c", program)
        arrived = (
            Arrival(path.with_name("log"), command) if program else Arrival(path.with_name("log"))
        )
        try:
            return await arrived.look(path)
        finally:
            await arrived.close()

    return asyncio.run(look())


def test_a_file_is_looked_into_by_another_process_that_names_no_path(tmp_path: Path) -> None:
    path = tmp_path / "f.part"
    path.write_bytes(b"nothing")
    with pytest.raises(UnusableDataset) as caught:
        looked(path)
    assert "f.part" not in str(caught.value)
    path.write_text("0,a\n")
    assert looked(path).kind == Dataset.KIND_GROUPS


def test_a_process_that_dies_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableDataset, match="cannot be looked into: its process ended"):
        looked(tmp_path / "f", "import os; input(); os.abort()")


def test_a_text_that_hdf5_would_read_for_ever_ends_one_process(tmp_path: Path) -> None:
    write_endless_text(tmp_path / "X.h5")
    program = (
        "from dlae_server.datasets import arrival_worker as worker\n"
        "worker.ATTRIBUTE_SECONDS = 0.2\n"
        "worker.main()"
    )
    line = json.dumps({"file": str(tmp_path / "X.h5")}) + "\n"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=line, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"died": -signal.SIGVTALRM}
