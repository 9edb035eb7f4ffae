"""Samples on disk."""

import resource
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from dlae_core.data.source import PairedFiles, SampleFile, write_samples
from dlae_core.errors import StorageFailed, UnusableDataset
from tests.dlae_core.data.endless import write_endless_text


def _write(path: Path, names: list[str]) -> Path:
    write_samples(path, [(name, np.full((2, 2), int(name))) for name in names])
    return path


def test_samples_come_back_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with SampleFile(_write(tmp_path / "X.h5", ["10", "2", "33"])) as file:
        assert file.names == ("2", "10", "33")
        np.testing.assert_array_equal(file.read("10"), np.full((2, 2), 10))
        assert file.shape("2") == (2, 2)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableDataset, match=r"X\.h5: expected an HDF5 file, found no file"):
        SampleFile(tmp_path / "X.h5")


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n"])
def test_something_else_than_hdf5_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "X.h5").write_bytes(content)
    with pytest.raises(UnusableDataset, match=r"X\.h5: .*(HDF5|truncated)"):
        SampleFile(tmp_path / "X.h5")


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "X.h5"
    write_samples(path, [(str(index), np.zeros((64, 64))) for index in range(8)])
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(UnusableDataset, match=r"X\.h5: the file is truncated"):
        SampleFile(path)


@pytest.mark.parametrize("name", ["a", "-1", "1.5", " 1", "1_0", "²", "9" * 5000])
def test_names_that_are_no_integers_are_refused(tmp_path: Path, name: str) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file[name] = np.zeros(3)
    with pytest.raises(UnusableDataset, match="integer"):
        SampleFile(tmp_path / "X.h5")


def test_groups_and_empty_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "group.h5", "w") as file:
        file.create_group("0")
    with pytest.raises(UnusableDataset, match="found a group"):
        SampleFile(tmp_path / "group.h5")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(UnusableDataset, match="found none"):
        SampleFile(tmp_path / "empty.h5")


def test_two_names_of_one_number_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["1"] = file["01"] = np.zeros(3)
    with pytest.raises(UnusableDataset, match="one dataset for each number, found 2 for 1"):
        SampleFile(tmp_path / "X.h5")


def _soft_link(file: h5py.File, folder: Path) -> None:
    file["0"] = h5py.SoftLink("/nowhere")


def _external_link(file: h5py.File, folder: Path) -> None:
    _write(folder / "other.h5", ["0"])
    file["0"] = h5py.ExternalLink("other.h5", "/0")


def _external_values(file: h5py.File, folder: Path) -> None:
    (folder / "other.bin").write_bytes(bytes(64))
    file.create_dataset("0", (64,), "u1", external=[(str(folder / "other.bin"), 0, 64)])


def _virtual_values(file: h5py.File, folder: Path) -> None:
    _write(folder / "other.h5", ["0"])
    layout = h5py.VirtualLayout((2, 2), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "0", (2, 2))
    file.create_virtual_dataset("0", layout)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (_soft_link, "found a link"),
        (_external_link, "found a link"),
        (_external_values, "values lie in another file"),
        (_virtual_values, "values lie in another file"),
    ],
)
def test_a_file_cannot_show_what_lies_in_another(
    tmp_path: Path, write: Callable[[h5py.File, Path], None], sentence: str
) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        write(file, tmp_path)
    with pytest.raises(UnusableDataset, match=sentence):
        SampleFile(tmp_path / "X.h5")


def test_a_dataset_without_an_array_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["0"] = h5py.Empty("f4")
    with pytest.raises(UnusableDataset, match="found an empty dataset"):
        SampleFile(tmp_path / "X.h5")


def test_a_path_that_cannot_exist_is_named_like_a_missing_file(tmp_path: Path) -> None:
    for name in ("x" * 300, "nul\0"):
        with pytest.raises(UnusableDataset, match="found no file"):
            SampleFile(tmp_path / name)


def test_any_damage_is_named_and_nothing_else_is_raised(tmp_path: Path) -> None:
    path = _write(tmp_path / "X.h5", [str(number) for number in range(10)])
    content = path.read_bytes()
    random = np.random.default_rng(0)
    damaged = 0
    for _ in range(300):
        places = random.integers(len(content), size=3)
        broken = bytearray(content)
        for place in places:
            broken[place] ^= 0xFF
        path.write_bytes(broken)
        try:
            with SampleFile(path) as file:
                for name in file.names:
                    file.shape(name), file.dtype(name), file.read(name)
        except UnusableDataset:
            damaged += 1
    assert damaged > 50


def test_images_without_annotations_are_named_the_first_twenty_and_counted(tmp_path: Path) -> None:
    images = _write(tmp_path / "X.h5", [str(number) for number in range(30)])
    with pytest.raises(UnusableDataset, match=r"X\.h5 and y\.h5 do not pair: 29 of 30") as caught:
        PairedFiles(images, _write(tmp_path / "y.h5", ["0", "77"]))
    assert "20, ..." in str(caught.value)
    assert "21" not in str(caught.value)


def test_surplus_annotations_are_known_and_not_used(tmp_path: Path) -> None:
    images = _write(tmp_path / "X.h5", ["1", "2"])
    with PairedFiles(images, _write(tmp_path / "y.h5", ["1", "2", "3"])) as pairs:
        assert (pairs.names, pairs.surplus) == (("1", "2"), ("3",))


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = _write(tmp_path / "X.h5", ["1"])
    before = path.read_bytes()

    def broken() -> list[tuple[str, np.ndarray]]:
        yield "1", np.zeros(3)
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFailed, match="No space left"):
        write_samples(path, broken())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["X.h5"]


@pytest.mark.parametrize("folder", ["missing", "X.h5"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, folder: str) -> None:
    _write(tmp_path / "X.h5", ["1"])
    with pytest.raises(StorageFailed, match=r"cannot write .*predictions\.h5: N"):
        write_samples(tmp_path / folder / "predictions.h5", [("0", np.zeros(3))])


@pytest.mark.parametrize("size", [10, 200])
def test_a_full_disk_is_an_error_and_leaves_the_old_file_whole(tmp_path: Path, size: int) -> None:
    path = _write(tmp_path / "X.h5", ["1"])
    before = path.read_bytes()
    samples = [(str(index), np.ones((size, size))) for index in range(200)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(StorageFailed, match=r"cannot write .*X\.h5: File too large"):
            write_samples(path, samples)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["X.h5"]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "X.h5"

    def outer() -> Iterator[tuple[str, np.ndarray]]:
        yield "1", np.zeros(3)
        assert write_samples(path, [("5", np.zeros(3))]) == 1
        yield "2", np.zeros(3)

    assert write_samples(path, outer()) == 2
    with SampleFile(path) as file:
        assert file.names == ("1", "2")


def _claim(file: h5py.File) -> None:
    file.create_dataset("0", (10**15,), "f4", chunks=(1 << 20,), compression="gzip")


def _large_chunks(file: h5py.File) -> None:
    file.create_dataset("0", (4,), "u1", chunks=(1 << 31,), maxshape=(None,))


def _twice_compressed(file: h5py.File) -> None:
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((64,))
    for _ in range(2):
        created.set_deflate(9)
    space = h5py.h5s.create_simple((64,))
    h5py.h5d.create(file.id, b"0", h5py.h5t.NATIVE_UINT8, space, created)


def _unknown_filter(file: h5py.File) -> None:
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((64,))
    created.set_filter(40000, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((64,))
    h5py.h5d.create(file.id, b"0", h5py.h5t.NATIVE_UINT8, space, created)


def _texts_of_any_length(file: h5py.File) -> None:
    file["0"] = ["a", "b"]


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (_claim, "no more values than the file can hold, found a claim of 4000000000000000 bytes"),
        (_large_chunks, "chunks of the size of the array, found some of 2147483648 bytes"),
        (_twice_compressed, "compressed once, found them compressed again and again"),
        (_unknown_filter, "the unknown filter 40000"),
        (_texts_of_any_length, "texts of any length or references"),
    ],
)
def test_a_file_that_would_fill_the_memory_is_refused_when_it_is_opened(
    tmp_path: Path, write: Callable[[h5py.File], None], sentence: str
) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        write(file)
    with pytest.raises(UnusableDataset, match=sentence):
        SampleFile(tmp_path / "X.h5")


def test_a_small_chunk_that_inflates_to_a_large_one_is_not_inflated(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(1 << 24), 9)
    with h5py.File(tmp_path / "X.h5", "w") as file:
        # With a checksum behind it, HDF5 itself has to read it.
        made = file.create_dataset(
            "0", (64,), "u1", chunks=(64,), compression="gzip", fletcher32=True
        )
        made.id.write_direct_chunk((0,), bomb, 2)
    with SampleFile(tmp_path / "X.h5") as file, pytest.raises(UnusableDataset, match="damaged"):
        file.read("0")


def test_an_attribute_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w", libver="latest") as file:
        file["0"] = np.zeros(3)
        file["0"].attrs["group"] = np.zeros(1 << 17)
        file["0"].attrs["name"] = "Smith"
    with SampleFile(tmp_path / "X.h5") as file:
        assert file.attribute("0", "name") == "Smith"
        with pytest.raises(UnusableDataset, match="dataset '0'"):
            file.attribute("0", "group")


def test_a_text_that_hdf5_would_read_for_ever_ends_the_process(tmp_path: Path) -> None:
    write_endless_text(tmp_path / "X.h5")
    program = (
        "import pathlib, sys; from dlae_core.data import hdf5, source\n"
        "hdf5.ENDLESS_SECONDS = 0.2\n"
        "source.SampleFile(pathlib.Path(sys.argv[1])).attribute('0', 'patient')"
    )
    command = [sys.executable, "-c", program, tmp_path / "X.h5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "Timeout" in done.stderr
