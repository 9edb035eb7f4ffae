"""What inspection finds wrong with a data set."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_core.data.inspection import Expectation, inspect_pairs, surplus_warnings
from dlae_core.data.source import PairedFiles, write_samples

IMAGE = np.arange(12, dtype=np.uint16).reshape(4, 3)
LABELS = IMAGE % 2
SEGMENTATION = Expectation((4, 3, 1), (4, 3), 2)
CLASSES = Expectation((4, 3, 1), (), 3)
VALUES = Expectation((4, 3, 1), (5,), 0)
BOXES = Expectation((4, 3, 1), (), 2, boxes=True)


def _found(folder: Path, image: Any, annotation: Any, expected: Expectation) -> list[str]:
    write_samples(folder / "X.h5", [("7", np.asarray(image))])
    write_samples(folder / "y.h5", [("7", np.asarray(annotation))])
    with PairedFiles(folder / "X.h5", folder / "y.h5") as pairs:
        return inspect_pairs(pairs, expected)


@pytest.mark.parametrize(
    ("expected", "image", "annotation"),
    [
        (CLASSES, (4, 3), ()),
        (CLASSES, (4, 3, 1), (1,)),
        (VALUES, (4, 3), (5,)),
        (VALUES, (4, 3, 1), (1, 5)),
        (Expectation((4, 3, 1), (1,), 0), (4, 3), ()),
        (Expectation((4, 3, 2), (), 3), (4, 3, 2), ()),
        (Expectation((4, 3, 2, 1), (), 3), (4, 3, 2), ()),
        (Expectation((4, 3, 2, 5), (2,), 0), (4, 3, 2, 5), (1, 2)),
        (SEGMENTATION, (4, 3), (4, 3)),
        (SEGMENTATION, (4, 3, 1), (4, 3, 1)),
        (Expectation((4, 3, 1), (4, 3, 2), 0), (4, 3), (4, 3, 2)),
        (Expectation((4, 3, 1), (4, 3, 1), 0), (4, 3), (4, 3)),
        (Expectation((4, 3, 2, 1), (4, 3, 2), 2), (4, 3, 2), (4, 3, 2, 1)),
        (Expectation((4, 3, 2, 1), (4, 3, 2, 3), 0), (4, 3, 2, 1), (4, 3, 2, 3)),
        (BOXES, (4, 3), (0, 5)),
    ],
)
def test_all_shapes_of_the_manual_are_right(
    tmp_path: Path, expected: Expectation, image: tuple[int, ...], annotation: tuple[int, ...]
) -> None:
    for dtype in (np.uint8, np.int64, np.float16, np.float64, np.bool_):
        found = _found(tmp_path, np.ones(image, dtype), np.ones(annotation, dtype), expected)
        assert found == []


@pytest.mark.parametrize(
    ("expected", "image", "annotation", "file", "sentence"),
    [
        (SEGMENTATION, IMAGE.T, LABELS, "X", "an image of shape (4, 3, 1), got (3, 4)"),
        (SEGMENTATION, IMAGE[np.newaxis], LABELS, "X", "a dataset holds one sample, without an"),
        (SEGMENTATION, IMAGE, LABELS[:, :2], "y", "an annotation of shape (4, 3), got (4, 2)"),
        (SEGMENTATION, IMAGE, LABELS[np.newaxis], "y", "a dataset holds one sample, without an"),
        (SEGMENTATION, IMAGE, np.zeros((4, 3, 2)), "y", "class numbers, not one channel per"),
        (SEGMENTATION, IMAGE, IMAGE, "y", "expected class numbers from 0 to 1, found 11"),
        (SEGMENTATION, IMAGE, LABELS - 1.0, "y", "expected class numbers from 0 to 1, found -1"),
        (SEGMENTATION, IMAGE, LABELS / 2, "y", "expected class numbers, found fractions"),
        (SEGMENTATION, IMAGE * np.nan, LABELS, "X", "finite numbers, found NaN or infinity"),
        (SEGMENTATION, IMAGE - np.inf, LABELS, "X", "finite numbers, found NaN or infinity"),
        (SEGMENTATION, IMAGE, LABELS * np.nan, "y", "finite numbers, found NaN or infinity"),
        (SEGMENTATION, IMAGE * 1j, LABELS, "X", "expected numbers, got complex128"),
        (SEGMENTATION, IMAGE.astype("S3"), LABELS, "X", "expected numbers, got |S3"),
        (CLASSES, IMAGE, 3, "y", "expected class numbers from 0 to 2, found 3"),
        (CLASSES, IMAGE, [1, 2], "y", "an annotation of shape () or (1,), got (2,)"),
        (VALUES, IMAGE, np.zeros(4), "y", "an annotation of shape (5,), got (4,)"),
        (VALUES, IMAGE, [1, 2, 3, 4, np.inf], "y", "finite numbers, found NaN or infinity"),
        (BOXES, IMAGE, np.zeros((2, 4)), "y", "boxes of shape (boxes, 5), none as (0, 5), got"),
        (BOXES, IMAGE, np.zeros(0), "y", "boxes of shape (boxes, 5), none as (0, 5), got (0,)"),
        (BOXES, IMAGE, [0, 0, 0, 1, 1], "y", "objects are numbered from 1, 0 is the background"),
        (BOXES, IMAGE, [[3, 0, 0, 1, 1]], "y", "class numbers from 1 to 2; 1 of 1 boxes are not"),
        (BOXES, IMAGE, [1.5, 0, 0, 1, 1], "y", "class numbers from 1 to 2; 1 of 1 boxes are not"),
        (BOXES, IMAGE, [[1, 0, 0, 3, 4], [1, 1, 0, 1, 2]], "y", "the first is row 1: (1, 1, 0, 1"),
        (BOXES, IMAGE, [1, 0, 2, 1, 1], "y", "expected xmin < xmax and ymin < ymax; 1 of 1"),
        (BOXES, IMAGE, [1, 0, 0, 4, 4], "y", "boxes inside the image of 4 rows and 3 columns"),
        (BOXES, IMAGE, [1, -1, 0, 3, 4], "y", "boxes inside the image of 4 rows and 3 columns"),
        (BOXES, IMAGE, [1, 0, 0, np.nan, 4], "y", "finite numbers, found NaN or infinity"),
    ],
)
def test_what_cannot_be_trained_on_is_named_with_file_and_dataset(
    tmp_path: Path, expected: Expectation, image: Any, annotation: Any, file: str, sentence: str
) -> None:
    (found,) = _found(tmp_path, image, annotation, expected)
    assert found.startswith(f"{file}.h5: dataset '7': expected ")
    assert sentence in found


def test_all_problems_of_a_sample_are_told(tmp_path: Path) -> None:
    found = _found(tmp_path, IMAGE.T * np.nan, [[0, 2, 2, 1, 9]], BOXES)
    assert [text.partition("expected ")[2].split(";")[0].split(",")[0] for text in found] == [
        "an image of shape (4",
        "class numbers from 1 to 2",
        "xmin < xmax and ymin < ymax",
        "boxes inside the image of 4 rows and 3 columns",
    ]


def test_the_first_twenty_of_each_kind_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    names = [str(number) for number in range(30)]
    write_samples(tmp_path / "X.h5", [(name, IMAGE * np.nan) for name in names])
    labels = [(name, LABELS + 5 * (int(name) < 2)) for name in names]
    write_samples(tmp_path / "y.h5", labels)
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        found = inspect_pairs(pairs, SEGMENTATION)
    assert [text for text in found if text.startswith("and")] == ["and 10 more of this kind"]
    assert [text.split("'")[1] for text in found[:20]] == names[:20]
    assert [text.split("'")[1] for text in found[21:]] == ["0", "1"]


def test_samples_that_cannot_be_read_are_named_and_the_others_checked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        for name in "012":
            file.create_dataset(name, data=IMAGE, chunks=(4, 3), compression="gzip")
        place = file["1"].id.get_chunk_info(0)
    write_samples(tmp_path / "y.h5", [(name, IMAGE) for name in "012"])
    content = bytearray((tmp_path / "X.h5").read_bytes())
    content[place.byte_offset : place.byte_offset + place.size] = bytes(place.size)
    (tmp_path / "X.h5").write_bytes(content)
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        found = inspect_pairs(pairs, SEGMENTATION)
    assert [text.split(":")[1] for text in found if text.startswith("X")] == [
        " dataset '1' cannot be read; the file is damaged"
    ]
    assert len([text for text in found if text.startswith("y")]) == 3


def test_what_has_a_wrong_shape_is_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "X.h5", "w") as file:
        # A gigabyte that was never written.
        file.create_dataset("0", (1 << 13, 1 << 14), "f8", chunks=(1024, 1024))
    write_samples(tmp_path / "y.h5", [("0", LABELS)])
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        (found,) = inspect_pairs(pairs, SEGMENTATION)
    assert "got (8192, 16384)" in found


def test_annotations_without_an_image_are_a_warning(tmp_path: Path) -> None:
    write_samples(tmp_path / "X.h5", [("1", IMAGE)])
    write_samples(tmp_path / "y.h5", [(str(number), LABELS) for number in range(30)])
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        assert inspect_pairs(pairs, SEGMENTATION) == []
        (warning,) = surplus_warnings(pairs)
    assert warning.startswith("y.h5: 29 annotations have no image of the same name in X.h5")
    assert warning.endswith(
        "(0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...)"
    )
