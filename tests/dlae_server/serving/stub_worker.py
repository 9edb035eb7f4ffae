"""A model's process without a model: `stub_worker.py BUNDLE SOCKET INPUT OUTPUT ENGINE THREADS`.

It answers every question with nothing, in the shape of the kind that is asked for, once it is
ready. The bundle's folder says how it is: `slow` a second before it is ready, `thoughtful` a fifth
of one before each answer, `large` with 60 MB, `broken` with a failure.
"""

import socket
import sys
import time
from pathlib import Path

from dlae_server.serving.frames import FRAME_BYTES, READY, Output, Question, packed_failure


def main() -> None:
    """Answers until the socket closes."""
    bundle = Path(sys.argv[1])
    connection = socket.socket(fileno=int(sys.argv[2]))
    if (bundle / "broken").exists():
        connection.send(packed_failure("CORRUPT_ARTIFACT", "damaged"))
        return
    if (bundle / "slow").exists():
        time.sleep(1)
    ballast = bytearray(60_000_000) if (bundle / "large").exists() else b""
    connection.send(bytes([READY]))
    while frame := connection.recv(FRAME_BYTES):
        if (bundle / "thoughtful").exists():
            time.sleep(0.2)
        shape = (Question.unpacked(frame).kind + len(ballast[:0]),)
        connection.send(Output("|u1", shape, 0, (0.0, 0.0, 0.0)).packed())


if __name__ == "__main__":
    main()
