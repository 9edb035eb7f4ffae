"""Large tensors: memory of their own, and a server that does not grow with them."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import numpy as np
import pytest

from dlae.arrays import array_from_bytes, header_from_array
from dlae.v1 import prediction_pb2 as pb
from dlae_server.errors import QueueFull, TensorTooLarge
from dlae_server.serving import volumes
from dlae_server.serving.volumes import LEAST_BYTES, Shelf, Volume
from tests.dlae_server.fakes import DEADLY, SLOW
from tests.dlae_server.processes import ServerProcess, eventually, reason_of

SIDE = 2560
CHUNK = 1 << 20


def test_what_is_appended_is_read_by_whoever_has_the_descriptor() -> None:
    volume = Volume()
    volume.append(b"ab")
    volume.append(memoryview(b"cde"))
    given, output = volume.descriptors
    assert os.pread(given, 9, 0) == b"abcde"
    os.pwrite(output, bytes(CHUNK) + b"end", 0)
    assert [len(part) for part in volume.output(CHUNK + 3)] == [CHUNK, 3]
    volume.forget_input()
    assert os.fstat(given).st_size == 0
    volume.close()
    volume.close()
    volume.forget_input()
    with pytest.raises(ValueError, match="open"):
        _ = volume.descriptors


def test_volumes_together_are_bounded_but_one_alone_is_not_refused() -> None:
    shelf = Shelf(10)
    with shelf.volume(8):
        with pytest.raises(QueueFull), shelf.volume(3):
            pass
        with shelf.volume(2):
            pass
    with shelf.volume(12), pytest.raises(QueueFull), shelf.volume(1):
        pass


def test_a_volume_for_which_the_system_has_no_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    monkeypatch.setattr(volumes, "MEMORY", told)
    shelf = Shelf(1 << 40)
    for text in ("", "MemTotal: 8 kB\nMemAvailable: 4 kB\n"):
        told.write_text(text)
        with shelf.volume(2048):
            pass
    with pytest.raises(TensorTooLarge, match="at most 2048 bytes"), shelf.volume(2049):
        pass
    told.unlink()
    with shelf.volume(1 << 30):
        pass


def test_a_shelf_leaves_no_descriptors_behind() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with suppress(RuntimeError), Shelf(9).volume(5) as volume:
            volume.append(b"1234")
            raise RuntimeError
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture(scope="module")
def model(server: ServerProcess) -> str:
    """The name of a trained model."""
    server.trained("large")
    return "large"


def messages(model: str, images: np.ndarray) -> Iterator[pb.PredictStreamRequest]:
    """Yields a chunked request."""
    asked = pb.PredictStreamHeader(model=model, input=header_from_array(images), output_kind=3)
    yield pb.PredictStreamRequest(header=asked)
    data = memoryview(images).cast("B")
    for start in range(0, len(data), CHUNK):
        yield pb.PredictStreamRequest(data=bytes(data[start : start + CHUNK]))


def test_the_server_does_not_grow_with_a_volume(server: ServerProcess, model: str) -> None:
    images = np.arange(4 * SIDE * SIDE, dtype=np.int16).reshape(4, SIDE, SIDE, 1) % 500
    assert images.nbytes >= 50e6 > LEAST_BYTES
    for _ in server.prediction.PredictStream(messages(model, np.zeros((1, 8, 8, 1), np.int16))):
        pass
    process = Path(f"/proc/{server.process.pid}")
    (process / "clear_refs").write_text("5")
    before = _peak(process)
    header, *parts = server.prediction.PredictStream(messages(model, images))
    # Messages on their way, and what the C library keeps of them.
    assert _peak(process) - before < 50e6
    data = b"".join(part.data for part in parts)
    assert max(len(part.data) for part in parts) == CHUNK
    output = array_from_bytes(data, header.header.output.data_type, images.shape)
    np.testing.assert_array_equal(output, images.astype(np.float32) * 2)
    # Its memory is gone with it.
    eventually(lambda: "dlae-volume" not in _open_files(process))


def test_a_volume_that_is_refused_given_up_or_deadly_leaves_nothing(
    server: ServerProcess, model: str
) -> None:
    process = Path(f"/proc/{server.process.pid}")
    images = np.zeros((1, SIDE, SIDE, 2), np.float32)
    for value, reason in ((np.nan, "INVALID_IMAGE"), (DEADLY, "MODEL_PROCESS_DIED")):
        images[0, 0, 0, 0] = value
        with pytest.raises(grpc.RpcError) as caught:
            list(server.prediction.PredictStream(messages(model, images)))
        assert reason_of(caught.value) == reason
    images[0, 0, 0, 0] = SLOW
    stream = server.prediction.PredictStream(messages(model, images))
    eventually(lambda: "dlae-volume" in _open_files(process))
    stream.cancel()
    short = list(messages(model, images))[:-1]
    with pytest.raises(grpc.RpcError) as caught:
        list(server.prediction.PredictStream(iter(short)))
    assert reason_of(caught.value) == "INVALID_STREAM"
    eventually(lambda: "dlae-volume" not in _open_files(process))
    images[0, 0, 0, 0] = 1
    assert len(list(server.prediction.PredictStream(messages(model, images)))) > 1


def _peak(process: Path) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _open_files(process: Path) -> str:
    names = []
    for entry in (process / "fd").iterdir():
        try:
            names.append(os.readlink(entry))
        except OSError:
            continue
    return " ".join(names)
