"""What is recorded of predictions: always what was asked of which model, of which input."""

import asyncio
import os
from collections.abc import Iterator

from dlae_server.audit.log import sha256_of
from dlae_server.audit.recording import NOTE, noted
from dlae_server.serving.frames import Question
from dlae_server.serving.memory import PART_BYTES
from dlae_server.serving.volumes import Images, Volume


async def asked_of(reference: str, sha256: str, question: Question, images: Images) -> None:
    """Notes for the present call what is asked of a model.

    The hash of an input that lies in memory of its own is taken now, in a thread; that of others
    later, by the thread of the log.

    Args:
        reference: `name@version`.
        sha256: Of the model's manifest.
        question: Type and shape of the images, and what is asked.
        images: Their bytes.
    """
    note = NOTE.get()
    if note is None or not note.is_recorded:
        return
    noted(model=reference, model_sha256=sha256, input=_array(question.dtype, question.shape))
    if isinstance(images, Volume):
        noted(input_sha256=await asyncio.to_thread(_sha256_of_volume, images, question.size))
    else:
        note.content = tuple(images)


def _sha256_of_volume(volume: Volume, size: int) -> str:
    return sha256_of(_parts(volume.descriptors[0], size))


def _parts(descriptor: int, size: int) -> Iterator[bytes]:
    for start in range(0, size, PART_BYTES):
        yield os.pread(descriptor, min(PART_BYTES, size - start), start)


def _array(dtype: str, shape: tuple[int, ...]) -> str:
    return f"{dtype} {list(shape)}"
