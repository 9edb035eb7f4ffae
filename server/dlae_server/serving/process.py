"""A model's process as the server sees it."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from dlae_core import errors as core
from dlae_core.errors import CorruptArtifact, DlaeError
from dlae_server import allocation
from dlae_server.confinement.environment import worker_environment
from dlae_server.errors import ModelProcessDied
from dlae_server.jobs.process import ENVIRONMENT
from dlae_server.serving import memory
from dlae_server.serving.answers import Answer, Stages, Unjoinable
from dlae_server.serving.frames import FAILURE, FRAME_BYTES, Output, Question, unpacked_failure
from dlae_server.serving.volumes import Images, Volume

# Above it, a copy would keep other calls waiting for longer than a change of threads takes.
INLINE_BYTES = 4 << 20
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# Failures that a model's process may name.
FAILURES: dict[str, type[DlaeError]] = {
    kind.reason: kind
    for kind in (
        core.InvalidTensor,
        core.InvalidImage,
        core.InvalidOptions,
        core.CorruptArtifact,
        core.IncompatibleArtifact,
        core.StorageFailed,
        core.DeviceOutOfMemory,
    )
}

Result = TypeVar("Result")


class ModelProcess:
    """One loaded model; asked one question at a time.

    Attributes:
        stages: How long the latest call took.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, connection: socket.socket, shared: Sequence[int]
    ) -> None:
        self.stages = Stages(0.0, 0.0, 0.0)
        self._process = process
        self._connection = connection
        self._input, self._output = shared
        self._ended = False
        self._unused = asyncio.Event()
        self._unused.set()
        self._loop = asyncio.get_running_loop()
        self._reply: asyncio.Future[bytes] = self._loop.create_future()
        # Whether it still works for somebody who has given up.
        self._is_owed = False
        self._loop.add_reader(connection, self._receive)

    @classmethod
    async def start(
        cls, bundle: Path, log: Path, command: tuple[str, ...], engine: Sequence[str] = ("", "0")
    ) -> "ModelProcess":
        """Starts a process and waits until its model is ready.

        Args:
            bundle: The model.
            log: Where the process writes its errors.
            command: What runs the process.
            engine: Name of the engine, empty for any; and number of its threads, 0 for any.

        Raises:
            CorruptArtifact: The model cannot be loaded.
            ModelProcessDied: The process ended.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        shared = [memory.create("dlae-input"), memory.create("dlae-output")]
        descriptors = [theirs.fileno(), *shared]
        with theirs, log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(bundle),
                *map(str, descriptors),
                *engine,
                pass_fds=descriptors,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=worker_environment(ENVIRONMENT, allocation.ENVIRONMENT),
                start_new_session=True,
            )
        model = cls(process, ours, shared)
        try:
            await model._answer()
        except (DlaeError, asyncio.CancelledError):
            await model.stop()
            raise
        return model

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return not self._ended and self._process.returncode is None

    @property
    def idle(self) -> bool:
        """Whether it has no question to answer."""
        return self._unused.is_set()

    def resident_bytes(self) -> float:
        """Returns the memory that the process has in use."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        except OSError:
            return 0.0
        return float(int(pages) * _PAGE_BYTES)

    async def ask(self, question: Question, images: Images, rows: Sequence[int]) -> list[Answer]:
        """Asks for a prediction.

        Args:
            question: Type and shape of all images together.
            images: Their bytes, in order.
            rows: Images of each caller whose images these are; empty where they are one caller's.

        Returns:
            The answer to each caller.

        Raises:
            InvalidImage: The images do not suit the model.
            ModelProcessDied: The process ended.
            Unjoinable: The prediction cannot be divided among the callers.
        """
        self._unused.clear()
        try:
            if self._is_owed:
                await self._replied()
                self._is_owed = False
            if isinstance(images, Volume):
                return [await self._ask_about_volume(question, images)]
            start = time.monotonic()
            await _copied(question.size, memory.write, self._input, images)
            sent = time.monotonic()
            output = Output.unpacked(await self._asked(question.packed()))
            got = time.monotonic()
            answers = await _copied(output.size, self._read, output, rows)
            memory.trim(self._input, question.size)
            memory.trim(self._output, output.size)
            taken, infer, stored = output.seconds
            read = time.monotonic() - got
            self.stages = Stages(sent - start + taken, infer, stored + read)
            return answers
        finally:
            self._unused.set()

    async def unused(self) -> None:
        """Waits until the question that it works on, if any, is answered."""
        await self._unused.wait()

    async def stop(self) -> None:
        """Ends the process."""
        if self._connection.fileno() >= 0:
            self._end()
            self._connection.close()
            os.close(self._input)
            os.close(self._output)
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _ask_about_volume(self, question: Question, volume: Volume) -> Answer:
        output = Output.unpacked(await self._asked(question.packed(), volume.descriptors))
        await volume.unread()
        volume.forget_input()
        self.stages = Stages(*output.seconds)
        return Answer(
            output.dtype, output.shape, [], output.description, volume=volume, size=output.size
        )

    async def _asked(self, frame: bytes, descriptors: Sequence[int] = ()) -> bytes:
        if self._ended:
            raise ModelProcessDied("")
        self._reply = self._loop.create_future()
        try:
            if descriptors:
                socket.send_fds(self._connection, [frame], descriptors)
            else:
                self._connection.send(frame)
        except OSError as error:
            raise ModelProcessDied("") from error
        return await self._answer()

    async def _replied(self) -> bytes:
        """Waits for a frame; who gives up leaves it to be waited for by the next who asks."""
        reply = self._reply
        try:
            return await reply
        except asyncio.CancelledError:
            if self._reply is reply and reply.cancelled():
                self._reply = self._loop.create_future()
                self._is_owed = True
            raise

    def _settle(self, frame: bytes) -> None:
        """Hands a frame to who waits for it."""
        if self._reply.cancelled():
            # They give up in this moment, and have not been told yet: nobody waits for another.
            self._reply = self._loop.create_future()
        if not self._reply.done():
            self._reply.set_result(frame)

    async def _answer(self) -> bytes:
        frame = await self._replied()
        if not frame:
            raise ModelProcessDied("")
        if frame[0] == FAILURE:
            reason, message = unpacked_failure(frame)
            raise FAILURES.get(reason, CorruptArtifact)(message)
        return frame

    def _receive(self) -> None:
        try:
            frame = self._connection.recv(FRAME_BYTES)
        except OSError:
            frame = b""
        if frame:
            self._settle(frame)
        else:
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._loop.remove_reader(self._connection)
        self._settle(b"")

    def _read(self, output: Output, rows: Sequence[int]) -> list[Answer]:
        if not rows:
            parts = memory.read(self._output, 0, output.size)
            return [Answer(output.dtype, output.shape, parts, output.description)]
        total = sum(rows)
        if not output.shape or output.shape[0] != total:
            raise Unjoinable(f"expected {total} outputs, got an array of shape {output.shape}")
        answers, offset = [], 0
        for count in rows:
            size = output.size // total * count
            parts = memory.read(self._output, offset, size)
            shape = (count, *output.shape[1:])
            answers.append(Answer(output.dtype, shape, parts, output.description))
            offset += size
        return answers


async def _copied(size: int, copy: Callable[..., Result], *arguments: object) -> Result:
    """Runs a copy of `size` bytes, in a thread where it is large."""
    if size <= INLINE_BYTES:
        return copy(*arguments)
    return await asyncio.to_thread(copy, *arguments)
