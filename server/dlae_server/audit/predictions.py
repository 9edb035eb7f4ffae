"""What is recorded of predictions: what was asked of which model, of which input; and the output.

The output is recorded where all predictions are to be, or where a request asks for it: the record
is then on the disk before the answer, which tells where it is.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from google.protobuf.json_format import MessageToDict

from dlae.v1.prediction_pb2 import Description, OutputKind, PredictOptions, Provenance
from dlae_server.audit.log import sha256_of
from dlae_server.audit.recording import NOTE, Note, noted
from dlae_server.errors import InvalidRequest
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.memory import PART_BYTES, Buffer
from dlae_server.serving.volumes import Images, Volume

# What is hashed at once by the event loop: less than handing it to a thread takes.
INLINE_BYTES = 64 << 10


def want_proof() -> None:
    """Has the present call recorded with its output.

    Raises:
        InvalidRequest: Nothing is recorded.
    """
    note = NOTE.get()
    if note is None or not note.is_recorded:
        raise InvalidRequest(
            "expected a server with an audit log for provenance, got one without; ask for none, or "
            "start it without --no-audit"
        )
    note.wants_proof = True


async def asked_of(reference: str, sha256: str, question: Question, images: Images) -> Question:
    """Notes for the present call what is asked of a model; returns what to ask.

    The hash of an input that lies in memory of its own is taken in a thread while the model works
    on it; that of others later, by the thread of the log, unless the answer has to tell it.

    Args:
        reference: `name@version`.
        sha256: Of the model's manifest.
        question: Type and shape of the images, and what is asked.
        images: Their bytes.
    """
    note = NOTE.get()
    if note is None or not note.is_recorded:
        return question
    noted(model=reference, model_sha256=sha256, input=_array(question.dtype, question.shape))
    if isinstance(images, Volume):
        # A descriptor of its own: who gives up closes the other one.
        descriptor = os.dup(images.descriptors[0])
        images.read_by(asyncio.create_task(_read(descriptor, question.size)))
    elif note.wants_proof:
        whole = tuple(images)
        noted(input_sha256=await _hashed(lambda: whole, question.size))
    else:
        note.content = tuple(images)
    return replace(question, describe=True) if note.wants_proof else question


async def proved(question: Question, answer: Answer) -> Answer:
    """Records the answer to the present call, where that is wanted; returns it with the place.

    Raises:
        StorageFailed, CorruptArtifact: It cannot be recorded, and has to be.
    """
    note = NOTE.get()
    if note is None or not note.wants_proof:
        return answer
    volume = answer.volume
    parts: Callable[[], Iterable[Buffer]] = (
        (lambda: volume.output(answer.size)) if volume else (lambda: answer.parts)
    )
    size = answer.size if volume else sum(map(len, answer.parts))
    output = await _hashed(parts, size)
    description = Description.FromString(answer.description)
    noted(**_facts(question, answer, description), output_sha256=output)
    if position := await note.proof():
        proof = Provenance(record=str(position), input_sha256=_input(note), output_sha256=output)
        description.provenance.CopyFrom(proof)
    return replace(answer, description=description.SerializeToString())


def _facts(question: Question, answer: Answer, description: Description) -> dict[str, object]:
    facts: dict[str, object] = {
        "output": _array(answer.dtype, answer.shape),
        "output_kind": OutputKind.Name(description.output_kind),
        "engine": description.engine,
        "precision": description.precision,
    }
    if question.options:
        options = PredictOptions.FromString(question.options)
        facts["options"] = MessageToDict(options, preserving_proto_field_name=True)
    return facts


def _input(note: Note) -> str:
    return str(note.facts.get("input_sha256", ""))


async def _hashed(parts: Callable[[], Iterable[Buffer]], size: int) -> str:
    if size <= INLINE_BYTES:
        return sha256_of(parts())
    return await asyncio.to_thread(lambda: sha256_of(parts()))


async def _read(descriptor: int, size: int) -> None:
    """Notes the hash of an input that lies in memory of its own."""
    try:
        noted(input_sha256=await asyncio.to_thread(sha256_of, _parts(descriptor, size)))
    finally:
        os.close(descriptor)


def _parts(descriptor: int, size: int) -> Iterator[bytes]:
    for start in range(0, size, PART_BYTES):
        yield os.pread(descriptor, min(PART_BYTES, size - start), start)


def _array(dtype: str, shape: tuple[int, ...]) -> str:
    return f"{dtype} {list(shape)}"
