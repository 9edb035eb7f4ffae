"""Reading of arrays without HDF5: the same values as HDF5 gives, from any layout and any thread."""

import ctypes
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlae_core.data.reading import Arrays
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.errors import UnusableDataset

DTYPES = [f"{order}{kind}" for order in "<>" for kind in ("u2", "i4", "i8", "f2", "f4", "f8")]
DTYPES += ["u1", "i1", "?", "c8", "S3"]


def _values(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, 2 if dtype == "?" else 99, shape).astype(dtype)


@st.composite
def _layouts(draw: st.DrawFn) -> dict[str, Any]:
    shape = tuple(draw(st.lists(st.integers(0, 9), max_size=4)))
    layout: dict[str, Any] = {"shape": shape, "dtype": draw(st.sampled_from(DTYPES))}
    if shape and all(shape) and draw(st.booleans()):
        layout["chunks"] = tuple(draw(st.integers(1, length)) for length in shape)
        layout["shuffle"] = draw(st.booleans())
        layout["fletcher32"] = draw(st.sampled_from([False, False, False, True]))
        layout["compression"] = draw(st.sampled_from([None, "gzip", "gzip", "lzf"]))
        if layout["compression"] == "gzip":
            layout["compression_opts"] = draw(st.integers(0, 9))
        layout["maxshape"] = draw(st.sampled_from([None, (None,) * len(shape)]))
    return layout


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    layout=_layouts(),
    written=st.sampled_from(["all", "all", "all", "part", "none"]),
    file=st.sampled_from([{}, {}, {"libver": "latest"}, {"userblock_size": 512}]),
    seed=st.integers(0, 9),
)
def test_every_layout_is_read_as_hdf5_reads_it(
    tmp_path: Path, layout: dict[str, Any], written: str, file: dict[str, Any], seed: int
) -> None:
    values = _values(layout["dtype"], layout["shape"], seed)
    with h5py.File(tmp_path / "X.h5", "w", **file) as target:
        dataset = target.create_dataset("0", fillvalue=np.ones((), values.dtype)[()], **layout)
        if written == "all":
            dataset[...] = values
        elif written == "part" and values.size:
            corner = tuple(slice(0, (length + 1) // 2) for length in layout["shape"])
            dataset[corner] = values[corner]
    with h5py.File(tmp_path / "X.h5") as source:
        expected = np.asarray(source["0"][()])
    with SampleFile(tmp_path / "X.h5") as found:
        assert (found.shape("0"), found.dtype("0")) == (values.shape, values.dtype)
        for _ in range(2):
            read = found.read("0")
            assert (read.shape, read.dtype) == (expected.shape, expected.dtype)
            assert read.tobytes() == expected.tobytes()
            assert read.flags.writeable


LAYOUTS: dict[str, dict[str, Any]] = {
    "one piece": {},
    "chunks": {"chunks": (8, 5)},
    "one chunk": {"chunks": (16, 12)},
    "gzip": {"chunks": (16, 12), "compression": "gzip"},
    "gzip in chunks": {"chunks": (7, 5), "compression": "gzip"},
    "shuffle": {"chunks": (8, 6), "shuffle": True},
    "shuffle and gzip": {"chunks": (8, 7), "compression": "gzip", "shuffle": True},
}


def _write(path: Path, layout: dict[str, Any], count: int = 4, dtype: str = "<f4") -> None:
    with h5py.File(path, "w") as file:
        for number in range(count):
            file.create_dataset(str(number), data=_values(dtype, (16, 12), number), **layout)


@pytest.mark.parametrize("dtype", ["<f4", ">u2"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_usual_layouts_are_read_without_hdf5(
    tmp_path: Path, layout: dict[str, Any], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Arrays, "_read_by_hdf5")
    _write(tmp_path / "X.h5", layout, dtype=dtype)
    with SampleFile(tmp_path / "X.h5") as file:
        for name in file.names:
            np.testing.assert_array_equal(file.read(name), _values(dtype, (16, 12), int(name)))


def test_an_array_is_filled_where_it_fits(tmp_path: Path) -> None:
    _write(tmp_path / "X.h5", {})
    with SampleFile(tmp_path / "X.h5") as file:
        fitting = np.zeros((16, 12), np.float32)
        assert file.read("1", fitting) is fitting
        np.testing.assert_array_equal(fitting, _values("<f4", (16, 12), 1))
        others = [
            np.zeros((12, 16), np.float32),
            np.zeros((16, 12), np.float64),
            np.zeros((12, 16), np.float32).T,
            np.broadcast_to(np.float32(0), (16, 12)),
        ]
        for other in others:
            np.testing.assert_array_equal(file.read("1", other), fitting)
            assert not other.any()


def test_numbers_in_unusual_forms_are_left_to_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        narrow = h5py.h5t.STD_U16LE.copy()
        narrow.set_precision(12)
        narrow.set_offset(2)
        space = h5py.h5s.create_simple((3,))
        made = h5py.h5d.create(file.id, b"0", narrow, space)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 4095], np.uint16))
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        made = h5py.h5d.create(file.id, b"1", h5py.h5t.STD_I32LE, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([7, 8, 9], np.int32))
        del made
    with SampleFile(tmp_path / "X.h5") as file:
        assert file.read("0").tolist() == [1, 2, 4095]
        assert file.read("1").tolist() == [7, 8, 9]


def test_a_chunk_that_was_stored_without_its_filters_is_read(tmp_path: Path) -> None:
    values = _values("<f4", (4, 4))
    with h5py.File(tmp_path / "X.h5", "w") as file:
        layout = {"chunks": (4, 4), "compression": "gzip", "shuffle": True}
        for number, (mask, data) in enumerate(
            [
                (0b11, values.tobytes()),
                (0b01, zlib.compress(values.tobytes())),
                (0b10, values.view("u1").reshape(16, 4).T.tobytes()),
            ]
        ):
            dataset = file.create_dataset(str(number), (4, 4), "<f4", **layout)
            dataset.id.write_direct_chunk((0, 0), data, mask)
    with SampleFile(tmp_path / "X.h5") as file:
        for name in file.names:
            np.testing.assert_array_equal(file.read(name), values)


def test_chunks_at_the_edge_that_were_left_unfiltered_are_read(tmp_path: Path) -> None:
    libraries = list((Path(h5py.__file__).parents[1] / "h5py.libs").glob("libhdf5-*"))
    if not libraries:
        pytest.skip("h5py does not bring its own HDF5")
    set_options = ctypes.CDLL(str(libraries[0])).H5Pset_chunk_opts
    set_options.argtypes = [ctypes.c_int64, ctypes.c_uint]
    values = _values("<f4", (6, 5))
    with h5py.File(tmp_path / "X.h5", "w", libver="latest") as file:
        for number in range(3):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_chunk((4, 4))
            if number != 0:
                plist.set_shuffle()
            if number != 1:
                plist.set_deflate(4)
            assert set_options(plist.id, 2) >= 0
            space = h5py.h5s.create_simple(values.shape)
            made = h5py.h5d.create(file.id, b"%d" % number, h5py.h5t.IEEE_F32LE, space, plist)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
            del made
    with SampleFile(tmp_path / "X.h5") as file:
        for name in file.names:
            np.testing.assert_array_equal(file.read(name), values)


def _without_end(data: bytes) -> bytes:
    return data[:-9]


def _with_a_wrong_sum(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _of_something_larger(data: bytes) -> bytes:
    return zlib.compress(bytes(1 << 24))


def _of_something_smaller(data: bytes) -> bytes:
    return zlib.compress(bytes(8))


@pytest.mark.parametrize(
    "spoil", [_without_end, _with_a_wrong_sum, _of_something_larger, _of_something_smaller]
)
def test_a_spoilt_chunk_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    values = _values("<f4", (64, 64))
    with h5py.File(tmp_path / "X.h5", "w") as file:
        dataset = file.create_dataset("0", (64, 64), "<f4", chunks=(64, 64), compression="gzip")
        dataset.id.write_direct_chunk((0, 0), spoil(zlib.compress(values.tobytes())))
    with SampleFile(tmp_path / "X.h5") as file, pytest.raises(UnusableDataset, match="dataset '0'"):
        file.read("0")


def test_a_file_that_shrinks_while_it_is_open_is_named(tmp_path: Path) -> None:
    for layout in LAYOUTS.values():
        path = tmp_path / "X.h5"
        _write(path, layout)
        with SampleFile(path) as file:
            file.read("3")
            with path.open("r+b") as other:
                other.truncate(1000)
            with pytest.raises(UnusableDataset, match="dataset '3' cannot be read"):
                file.read("3")


def test_damage_is_named_or_read_as_hdf5_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "X.h5"
    with h5py.File(path, "w") as file:
        for number, layout in enumerate(LAYOUTS.values()):
            file.create_dataset(str(number), data=_values("<f4", (16, 12), number), **layout)
    content = path.read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for turn in range(400):
        broken = bytearray(content)
        for place in random.integers(len(content), size=4):
            broken[place] ^= int(random.integers(1, 256))
        path.write_bytes(broken[: random.integers(len(broken))] if turn % 8 == 0 else broken)
        try:
            with SampleFile(path) as samples:
                found = {name: _read_or_none(samples, name) for name in samples.names}
        except UnusableDataset:
            refused += 1
            continue
        with h5py.File(path) as file:
            for name, values in found.items():
                if values is None:
                    refused += 1
                # HDF5 looks chunks up in an index, whose damage may hide what is there.
                elif values.tobytes() != _values("<f4", (16, 12), int(name)).tobytes():
                    assert values.tobytes() == np.asarray(file[name][()]).tobytes(), (turn, name)
    assert refused > 100


def _read_or_none(samples: SampleFile, name: str) -> np.ndarray | None:
    try:
        return samples.read(name)
    except UnusableDataset:
        return None


def test_four_threads_read_what_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "X.h5"
    layouts = [*LAYOUTS.values(), {"chunks": (8, 6), "compression": "lzf"}, {"fletcher32": True}]
    with h5py.File(path, "w") as file:
        for number in range(90):
            layout = layouts[number % len(layouts)]
            file.create_dataset(str(number), data=_values("<f4", (16, 12), number), **layout)
    with SampleFile(path) as samples, ThreadPoolExecutor(4) as pool:
        order = np.random.default_rng(0).integers(90, size=5000)

        def right(number: int) -> bool:
            return bool((samples.read(str(number)) == _values("<f4", (16, 12), number)).all())

        assert all(pool.map(right, order.tolist()))


def test_written_samples_may_be_compressed(tmp_path: Path) -> None:
    samples = [("0", np.zeros((64, 64), np.uint16)), ("1", np.zeros(())), ("2", np.zeros((0, 5)))]
    write_samples(tmp_path / "X.h5", samples, gzip=1)
    assert (tmp_path / "X.h5").stat().st_size < 8000
    with SampleFile(tmp_path / "X.h5") as file:
        for name, values in samples:
            np.testing.assert_array_equal(file.read(name), values)
            assert file.dtype(name) == values.dtype
