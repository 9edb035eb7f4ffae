"""The process of a loaded model: `python -m dlae_server.serving.worker BUNDLE DESCRIPTOR`.

Answers frames on the socket that it inherits as DESCRIPTOR. A request's header is `{"dtype",
"shape", "labels"}`, an answer's `{"dtype", "shape"}` or `{"failure": {"reason", "message"}}`; the
first answer, `{"ready": true}`, comes unasked. The process ends when the socket closes.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlae_core.errors import DlaeError, InvalidTensor
from dlae_core.prediction import Predictor
from dlae_server.serving.frames import LENGTHS, packed


def main() -> None:
    """Loads the model and answers until the socket closes."""
    connection = socket.socket(fileno=int(sys.argv[2]))
    try:
        predictor = Predictor(Path(sys.argv[1]))
        predictor.warm_up()
    except DlaeError as error:
        _send(connection, _failure(error))
        return
    _send(connection, {"ready": True})
    while (frame := _receive(connection)) is not None:
        header, body = frame
        try:
            images = _images(header, body)
            output = np.ascontiguousarray(predictor.predict(images, header["labels"]))
            answer = {"dtype": output.dtype.str, "shape": output.shape}
            _send(connection, answer, output.reshape(-1).view(np.uint8).data)
        except DlaeError as error:
            _send(connection, _failure(error))


def _images(header: dict[str, Any], body: bytearray) -> NDArray[np.generic]:
    dtype, shape = np.dtype(header["dtype"]), header["shape"]
    try:
        # NumPy makes no array of an empty buffer.
        return (np.frombuffer(body, dtype) if body else np.empty(0, dtype)).reshape(shape)
    except ValueError as error:
        raise InvalidTensor(f"expected a shape that an array can have, got {shape}") from error


def _failure(error: DlaeError) -> dict[str, Any]:
    return {"failure": {"reason": error.reason, "message": str(error)}}


def _send(connection: socket.socket, header: dict[str, Any], body: Any = b"") -> None:
    connection.sendall(packed(header, len(body)))
    connection.sendall(body)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], bytearray] | None:
    lengths = _exactly(connection, LENGTHS.size)
    if lengths is None:
        return None
    header_size, body_size = LENGTHS.unpack(lengths)
    header, body = _exactly(connection, header_size), _exactly(connection, body_size)
    return None if header is None or body is None else (json.loads(header), body)


def _exactly(connection: socket.socket, size: int) -> bytearray | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            return None
        view = view[count:]
    return buffer


if __name__ == "__main__":
    main()
