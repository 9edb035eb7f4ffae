"""From files to results: tasks, cases, spacing, mistakes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.errors import UnusableDataset
from dlae_core.evaluation import kinds
from dlae_core.evaluation.cases import DataSet, evaluate
from dlae_core.evaluation.geometry import place_of
from dlae_core.evaluation.measures import Bootstrap, Key
from dlae_core.evaluation.result import Place, Result
from dlae_core.evaluation.tasks import Task, sample_of, task_of_arrays, task_of_model

MAPS = [np.full((4, 5), kind, np.uint8) for kind in (0, 1, 1, 1)]
GROUPS = ("b", "a", "b", "a")
SEGMENTATION = Task(kinds.SEGMENTATION, 2, 2)


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """Four label maps in two groups, the second two-thirds of a mm apart."""
    attributes = {"spacing_mm": np.array([1.0, 1.5])}
    path = tmp_path / "y.h5"
    rows = zip(MAPS, GROUPS, strict=True)
    write_samples(
        path, [(str(i), one, {**attributes, "who": g}) for i, (one, g) in enumerate(rows)]
    )
    return path


def evaluated(
    path: Path, group_by: str = "", change: Callable[[Any], Any] = lambda array: array
) -> tuple[Result, list[str]]:
    """Returns the result of predicting every annotation right, and the names asked for."""
    asked: list[str] = []
    with SampleFile(path) as file:

        def predict(names: Sequence[str]) -> list[np.ndarray]:
            asked.extend(names)
            return [change(file.read(name)) for name in names]

        data = DataSet(file, file.names, (file,))
        return evaluate(SEGMENTATION, data, predict, Bootstrap(20), group_by), asked


def test_samples_are_cases_in_their_order_with_lengths_in_mm(annotations: Path) -> None:
    result, asked = evaluated(annotations)
    assert asked == ["0", "1", "2", "3"]
    assert [case.samples for case in result.cases] == [("0",), ("1",), ("2",), ("3",)]
    assert result.cases[1].values[Key("reference_size", "class 1", "mm2")] == 30
    (dice,) = [one for one in result.measures if one.key.name == "dice"]
    assert (dice.value, dice.cases) == (1, 3)


def test_groups_of_an_attribute_or_a_table_are_cases(annotations: Path) -> None:
    result, asked = evaluated(annotations, "who")
    assert asked == ["0", "2", "1", "3"]
    assert [case.samples for case in result.cases] == [("0", "2"), ("1", "3")]
    table = annotations.with_name("groups.csv")
    table.write_text("name,patient\n" + "".join(f"{i},{g}\n" for i, g in enumerate(GROUPS)))
    assert evaluated(annotations, str(table))[1] == asked
    with pytest.raises(UnusableDataset, match="expected a text or an integer"):
        evaluated(annotations, "nobody")


def test_annotations_that_do_not_suit_are_told_with_file_and_name(annotations: Path) -> None:
    with pytest.raises(
        UnusableDataset, match=r"y.h5: '0': expected the 4 x 5 pixels, got .* 4 x 4"
    ):
        evaluated(annotations, change=lambda array: array[:, :4])
    with pytest.raises(UnusableDataset, match="expected classes 0 to 1, got values 7 to 7"):
        evaluated(annotations, change=lambda array: 0 * array + 7)


def test_places_are_what_packing_wrote(tmp_path: Path) -> None:
    affine = np.diag([0.5, 0.5, 3.0, 1.0])
    known = {"spacing_mm": [0.5, 0.5], "affine": affine, "slice": 4, "source": "3f"}
    samples: list[Any] = [
        ("0", MAPS[0], known),
        ("1", MAPS[0], {"spacing_mm": [0.5, 0.0]}),
        ("2", MAPS[0], {"spacing_mm": [0.5, 0.5]}),
        ("3", MAPS[0]),
    ]
    write_samples(tmp_path / "y.h5", samples)
    with SampleFile(tmp_path / "y.h5") as file:
        places = [place_of((file,), name) for name in file.names]
    assert places == [Place((0.5, 0.5), "3f", 4, 3.0), Place(), Place((0.5, 0.5)), Place()]


def config(signal: str, **settings: Any) -> Config:
    made = Config()
    made.config_file.model_signal = signal
    lists = made.layers
    layers = lists.generator_layer_list if signal == "GAN" else lists.serial_layer_list
    layers.add().input.shape.extend([8, 8, 1])
    for name, value in settings.items():
        setattr(made.preprocessing, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "classes", "output", "kind"),
    [
        (config("CNN"), 3, [3], kinds.CLASSIFICATION),
        (config("CNN"), 0, [4], kinds.REGRESSION),
        (config("CNN", annotation_type="coordinates"), 0, [4], kinds.COORDINATES),
        (config("FCN", normalization_type="none"), 3, [8, 8, 3], kinds.SEGMENTATION),
        (config("FCN", normalization_type="none"), 0, [8, 8, 1], kinds.IMAGES),
        (config("GAN", normalization_type="none"), 0, [8, 8, 1], kinds.IMAGES),
    ],
)
def test_the_task_is_known_from_the_model(
    made: Config, classes: int, output: list[int], kind: str
) -> None:
    task = task_of_model(made, classes, [8, 8, 1], output)
    assert (task.kind, task.classes, task.axes) == (kind, classes, 2)


def test_images_are_compared_in_the_units_of_annotations_where_these_are_known() -> None:
    made = config("FCN", normalization_type="global_unity_xy")
    made.preprocessing.minimum_image_intensity.extend([0, 100])
    made.preprocessing.maximum_image_intensity.extend([1, 300])
    task = task_of_model(made, 0, [8, 8, 1], [8, 8, 1])
    stored = np.array([[100, 200], [300, 400]])
    sample = sample_of(task, "0", np.zeros((2, 2, 1)), stored)
    assert task.asked == {"annotation_units_switch": True}
    np.testing.assert_array_equal(sample.reference[..., 0], stored)


@pytest.mark.parametrize("signal", ["FCN", "GAN"])
def test_images_normalized_by_their_own_extremes_are_compared_normalized(signal: str) -> None:
    made = config(signal, normalization_type="samplewise_negpos_xy")
    task = task_of_model(made, 0, [8, 8, 1], [8, 8, 1])
    sample = sample_of(task, "0", np.zeros((2, 2, 1)), np.array([[100, 200], [300, 200]]))
    np.testing.assert_allclose(sample.reference[..., 0], [[-1, 0], [1, 0]])


def test_detectors_are_asked_for_unsure_boxes_and_counted_with_their_own_confidence() -> None:
    made = config("BBD")
    made.bbd_options.number_classes, made.bbd_options.confidence_threshold = 2, 0.5
    task = task_of_model(made, 0, [8, 8, 1], [2, 15])
    assert (task.kind, task.classes, task.confidence) == (kinds.DETECTION, 2, 0.5)
    assert task.asked == {"confidence_threshold": 0.01}
    padded = np.array([[1, 0.8, 1, 1, 5, 5], [0, 0, 0, 0, 0, 0]])
    sample = sample_of(task, "0", padded, np.array([1, 1, 1, 5, 5]))
    assert (sample.predicted.shape, sample.reference.shape) == ((1, 6), (1, 5))


@pytest.mark.parametrize(
    ("predicted", "reference", "kind", "classes"),
    [
        (np.zeros((3, 6)), np.zeros((1, 5)), kinds.DETECTION, 0),
        (np.zeros(3), np.array(2), kinds.CLASSIFICATION, 3),
        (np.zeros(3), np.array([2.5, 1, 0]), kinds.REGRESSION, 0),
        (np.zeros(1), np.array(2.5), kinds.REGRESSION, 0),
        (np.zeros((4, 5), np.uint8), MAPS[0], kinds.SEGMENTATION, 0),
        (np.zeros((4, 5, 3), np.float32), MAPS[0][..., np.newaxis], kinds.SEGMENTATION, 3),
        (np.zeros((4, 5, 6, 2), np.float32), np.zeros((4, 5, 6)), kinds.SEGMENTATION, 2),
        (np.zeros((4, 5, 1), np.float32), np.full((4, 5), 0.5), kinds.IMAGES, 0),
        (np.zeros((4, 5, 1), np.float32), np.zeros((9, 9)), None, 0),
        (np.zeros((), np.uint8), np.array(2), None, 0),
    ],
)
def test_the_task_is_guessed_from_arrays(
    predicted: np.ndarray, reference: np.ndarray, kind: str | None, classes: int
) -> None:
    task = task_of_arrays(predicted, reference)
    assert (task and task.kind) == kind
    if task:
        assert task.classes == classes


@pytest.mark.parametrize(
    ("task", "predicted", "reference", "message"),
    [
        (Task(kinds.CLASSIFICATION, 3, 2), np.zeros(2), np.array(1), "expected 3 outputs"),
        (Task(kinds.CLASSIFICATION, 3, 2), np.zeros(3), np.array(1.5), "expected classes 0 to 2"),
        (Task(kinds.REGRESSION, 0, 2), np.zeros(3), np.zeros(2), "expected 2 values"),
        (Task(kinds.REGRESSION, 0, 2), np.array([np.nan]), np.zeros(1), "finite"),
        (Task(kinds.COORDINATES, 0, 2), np.zeros(3), np.zeros(3), "points of 2 coordinates"),
        (Task(kinds.IMAGES, 0, 2), np.zeros((4, 4, 1)), np.zeros((4, 5)), "an image of 4 x 5 x 1"),
        (Task(kinds.DETECTION, 1, 2), np.zeros((4, 4)), np.zeros((4, 5)), "boxes of six numbers"),
    ],
)
def test_what_does_not_go_together_is_told(
    task: Task, predicted: np.ndarray, reference: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sample_of(task, "0", predicted, reference)
