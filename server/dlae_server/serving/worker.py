"""The process of a loaded model.

`python -m dlae_server.confinement serving.worker BUNDLE SOCKET INPUT OUTPUT ENGINE THREADS`
inherits three descriptors: of the socket on which it answers one frame with one, and of the memory
of inputs and outputs. An empty engine, or 0 threads, means any. Its first frame, `READY` or a
failure, comes unasked. A question about a volume comes with descriptors of its own. The process
ends when the socket closes.
"""

import os
import socket
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dlae.v1.prediction_pb2 import OutputKind
from dlae_core.errors import DlaeError, InvalidTensor
from dlae_core.prediction import Predictor
from dlae_core.prediction.answering import answered, kind_asked, options_asked
from dlae_core.prediction.description import describe
from dlae_server.serving import memory
from dlae_server.serving.frames import FRAME_BYTES, READY, Output, Question, packed_failure


def main() -> None:
    """Loads the model and answers until the socket closes."""
    channel, inputs, outputs = (int(argument) for argument in sys.argv[2:5])
    engine, threads = sys.argv[5] or None, int(sys.argv[6]) or None
    connection = socket.socket(fileno=channel)
    try:
        predictor = Predictor(Path(sys.argv[1]), engine, threads)
        predictor.warm_up()
    except DlaeError as error:
        connection.send(packed_failure(error.reason, str(error)))
        return
    mapped = memory.Mapped(inputs)
    connection.send(bytes([READY]))
    while received := _received(connection):
        frame, volume = received
        try:
            question = Question.unpacked(frame)
            if volume:
                answer = _answer(predictor, memory.Mapped(volume[0]), volume[1], question)
            else:
                answer = _answer(predictor, mapped, outputs, question)
        except DlaeError as error:
            answer = packed_failure(error.reason, str(error))
        for descriptor in volume:
            os.close(descriptor)
        connection.send(answer)


def _received(connection: socket.socket) -> tuple[bytes, list[int]] | None:
    """Returns the next frame, and the descriptors of a volume that came with it."""
    frame, descriptors, *_ = socket.recv_fds(connection, FRAME_BYTES, 2)
    return (frame, descriptors) if frame else None


def _answer(predictor: Predictor, mapped: memory.Mapped, outputs: int, asked: Question) -> bytes:
    times = [time.perf_counter()]
    images = _images(mapped, asked)
    times.append(time.perf_counter())
    options = options_asked(predictor, asked.options)
    kind = kind_asked(predictor, cast("OutputKind", asked.kind))
    output = np.asarray(answered(predictor, images, kind, options), order="C")
    times.append(time.perf_counter())
    if output.size:
        memory.write(outputs, [output.reshape(-1).view(np.uint8).data])
    times.append(time.perf_counter())
    taken, predicted, stored = (end - start for start, end in pairwise(times))
    seconds = (taken, predicted, stored)
    done = b""
    if asked.describe:
        done = describe(predictor, kind, images.shape, options).SerializeToString()
    return Output(output.dtype.str, output.shape, output.nbytes, seconds, done).packed()


def _images(mapped: memory.Mapped, asked: Question) -> NDArray[np.generic]:
    dtype = np.dtype(asked.dtype)
    view = mapped.view(asked.size)
    try:
        # NumPy makes no array of an empty buffer.
        flat = np.frombuffer(view, dtype) if asked.size else np.empty(0, dtype)
        return flat.reshape(asked.shape)
    except ValueError as error:
        raise InvalidTensor(
            f"expected a shape that an array can have, got {asked.shape}"
        ) from error


if __name__ == "__main__":
    main()
