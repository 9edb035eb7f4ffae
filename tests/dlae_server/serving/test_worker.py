"""A model's process with a real detector."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dlae.v1.prediction_pb2 import (
    OUTPUT_KIND_BOXES,
    OUTPUT_KIND_OUTPUT,
    Description,
    PredictOptions,
)
from dlae_core.errors import IncompatibleArtifact, InvalidOptions
from dlae_core.prediction import Predictor
from dlae_server.serving.answers import Answer
from dlae_server.serving.frames import Question
from dlae_server.serving.host import WORKER
from dlae_server.serving.process import ModelProcess

pytestmark = [pytest.mark.keras, pytest.mark.slow]

IMAGES = np.random.default_rng(8).integers(0, 256, (3, 8, 8, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Keras is imported where the test runs, not where it is collected.
    from dlae_core.families.table import family_of
    from tests.dlae_core.families.configurations import detector
    from tests.dlae_core.prediction.bundles import with_random_weights, write_bundle

    config = detector(number_classes=2, confidence_threshold=0.3, top_k=6)
    model = with_random_weights(family_of(config).networks(config)[0].model, 0.05)
    folder = tmp_path_factory.mktemp("detector") / "bundle"
    return write_bundle(folder, config, model, family="BBD", classes=0)


def _answers(
    bundle: Path, questions: Sequence[Question], engine: Sequence[str] = ("", "0")
) -> list[list[Answer] | Exception]:
    """Returns what one process answers; the images are two callers' where they are several."""

    async def ask() -> list[list[Answer] | Exception]:
        process = await ModelProcess.start(bundle, bundle.parent / "log", WORKER, engine)
        found: list[list[Answer] | Exception] = []
        try:
            for question in questions:
                rows = (1, question.shape[0] - 1) if question.shape[0] > 1 else ()
                try:
                    found.append(await process.ask(question, [IMAGES.tobytes()], rows))
                except InvalidOptions as error:
                    found.append(error)
        finally:
            await process.stop()
        return found

    return asyncio.run(ask())


def _array(answer: Answer) -> np.ndarray:
    return np.frombuffer(answer.data, answer.dtype).reshape(answer.shape)


def test_boxes_of_joined_callers_are_theirs(bundle: Path) -> None:
    options = PredictOptions(confidence_threshold=0.4).SerializeToString()
    questions = [
        Question("|u1", IMAGES.shape, IMAGES.nbytes),
        Question("|u1", IMAGES.shape, IMAGES.nbytes, OUTPUT_KIND_BOXES, options, True),
        Question("|u1", IMAGES.shape, IMAGES.nbytes, OUTPUT_KIND_OUTPUT),
        Question(
            "|u1", IMAGES.shape, IMAGES.nbytes, 0, PredictOptions(flips={}).SerializeToString()
        ),
        Question(
            "|u1",
            IMAGES.shape,
            IMAGES.nbytes,
            0,
            PredictOptions(flips={"axes": [1]}).SerializeToString(),
        ),
    ]
    plain, asked, raw, unflipped, flipped = _answers(bundle, questions)
    predictor = Predictor(bundle)
    expected = predictor.boxes(IMAGES)
    assert isinstance(plain, list)
    found = np.concatenate([_array(answer) for answer in plain])
    for rows, boxes in zip(found, expected, strict=True):
        np.testing.assert_array_equal(rows[: len(boxes)], boxes)
        assert not rows[len(boxes) :].any()
    assert isinstance(asked, list)
    assert (_array(asked[1])[..., 1][_array(asked[1])[..., 0] > 0] > 0.4).all()
    told = Description.FromString(asked[0].description)
    assert (told.engine, told.output_kind) == (predictor.engine, OUTPUT_KIND_BOXES)
    assert isinstance(raw, list)
    np.testing.assert_array_equal(_array(raw[1]), predictor.predict(IMAGES)[1:])
    assert isinstance(unflipped, list)
    assert isinstance(flipped, InvalidOptions)


def test_the_operator_chooses_engine_and_threads(bundle: Path) -> None:
    question = Question("|u1", IMAGES.shape, IMAGES.nbytes, describe=True)
    ((answer, _),) = _answers(bundle, [question], ("onnxruntime", "1"))
    assert Description.FromString(answer.description).engine == "onnxruntime"
    with pytest.raises(IncompatibleArtifact, match="no engine of this name"):
        _answers(bundle, [], ("abacus", "1"))
