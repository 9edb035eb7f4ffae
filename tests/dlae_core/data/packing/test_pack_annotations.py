"""Packing: annotations from masks, tables and boxes."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from dlae_core.data.source import SampleFile
from tests.dlae_core.data.packing.files import (
    GREY,
    MASK,
    packed_from,
    problems,
    write_picture,
)


def test_boxes_from_masks_are_the_borders_of_their_regions(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "images" / "b.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK)
    write_picture(tmp_path / "masks" / "b.png", MASK * 0)
    packed_from(tmp_path, masks=tmp_path / "masks", relabel="auto", boxes_from_masks=True)
    with SampleFile(tmp_path / "y.h5") as file:
        np.testing.assert_array_equal(file.read("0"), [[1, 2, 1, 4, 3]])
        assert file.shape("1") == (0, 5)


def test_classes_by_name_are_numbered_and_the_numbering_is_kept(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    table = tmp_path / "classes.csv"
    table.write_text("\ufeffName;Class\nb;malignant\na.png;benign\nc;malignant\nd;benign\n")
    packed = packed_from(tmp_path, classes=table)
    assert packed.classes == {"benign": 0, "malignant": 1}
    assert packed.warnings == ["classes.csv: 1 names have no image and are left out (d)"]
    with SampleFile(tmp_path / "y.h5") as file:
        assert [int(file.read(name)) for name in file.names] == [0, 1, 1]
        assert file.shape("0") == ()
    with h5py.File(tmp_path / "y.h5") as file:
        assert json.loads(file.attrs["classes"]) == packed.classes


def test_whole_numbers_are_their_own_classes(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "classes.csv").write_text("name,class\na,7\n")
    packed_from(tmp_path, classes=tmp_path / "classes.csv")
    with SampleFile(tmp_path / "y.h5") as file:
        assert file.read("0") == 7


def test_coordinates_keep_the_order_of_their_columns(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "points.csv").write_text("name\ty\tx\na\t1.5\t-2\n")
    assert packed_from(tmp_path, coordinates=tmp_path / "points.csv").warnings == []
    with h5py.File(tmp_path / "y.h5") as file:
        assert (file["0"].dtype, file["0"][()].tolist()) == (np.float32, [1.5, -2])
        assert json.loads(file.attrs["columns"]) == ["y", "x"]


def test_coordinates_that_a_network_would_take_for_others_are_warned_of(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "points.csv").write_text("name,x,y\na,1,2\n")
    (warning,) = packed_from(tmp_path, coordinates=tmp_path / "points.csv").warnings
    assert warning == "points.csv: stored as x, y; `annotation_type` coordinates are y, x"


def test_boxes_are_gathered_by_image_and_classes_are_numbered_from_1(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    (tmp_path / "boxes.csv").write_text(
        "name,class,xmin,ymin,xmax,ymax\na,node,0,1,2,3\nc,,,,,\na,cyst,1,1,5,6\n"
    )
    packed = packed_from(tmp_path, boxes=tmp_path / "boxes.csv")
    assert packed.classes == {"cyst": 1, "node": 2}
    assert packed.warnings == ["boxes.csv: 1 images have no row, so no boxes"]
    with SampleFile(tmp_path / "y.h5") as file:
        np.testing.assert_array_equal(file.read("0"), [[2, 0, 1, 2, 3], [1, 1, 1, 5, 6]])
        assert file.shape("1") == file.shape("2") == (0, 5)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("a,0,0,1,2,3", "objects are numbered from 1, 0 is the background"),
        ("a,1,2,1,2,3", "expected xmin < xmax and ymin < ymax"),
        ("a,1,0,1,9,3", "expected boxes inside the image of 6 rows and 5 columns"),
        ("a,1,0,1,,3", "line 2: expected a number as xmax, got ''"),
        ("a,1,0,1,nan,3", "line 2: expected a number as xmax, got 'nan'"),
    ],
)
def test_wrong_boxes_are_named(tmp_path: Path, row: str, sentence: str) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "boxes.csv").write_text(f"name,class,xmin,ymin,xmax,ymax\n{row}\n")
    assert sentence in problems(tmp_path, boxes=tmp_path / "boxes.csv")[0]


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("classes", "", "expected a first line with the columns name, class, got ''"),
        ("classes", "image,label\na,1\n", "with the columns name, class, got 'image,label'"),
        ("classes", "name,class\n", "expected one row for 'a', found 0"),
        ("classes", "name,class\na,1\na,1\n", "expected one row for 'a', found 2"),
        (
            "boxes",
            "name,class,xmin,ymin,xmax,ymax\n"
            + "".join(f"a,c{number},0,0,1,1\n" for number in range(1001)),
            "expected at most 1000 classes, got 1001 different ones, such as 'c0'",
        ),
        ("classes", "name,class\na,\n", "line 2: expected a class"),
        ("coordinates", "name\na\n", "expected a column of numbers besides the name"),
        ("coordinates", "name,x\na,left\n", "line 2: expected a number as x, got 'left'"),
        ("classes", None, "classes.csv: cannot be read"),
        ("classes", b"name,class\na,\xff", "expected CSV in UTF-8"),
        ("classes", b'name,class\n"a\0', "expected one row for 'a'"),
    ],
)
def test_wrong_tables_are_named(
    tmp_path: Path, kind: str, text: str | bytes | None, sentence: str
) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    table = tmp_path / f"{kind}.csv"
    if text is not None:
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert sentence in problems(tmp_path, **{kind: table})[0]
