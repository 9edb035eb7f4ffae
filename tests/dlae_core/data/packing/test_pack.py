"""Packing: sources of many kinds to two files."""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_core.data.packing import Packed, Recipe, pack, write_listing
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.errors import StorageFailed, UnusableDataset
from tests.dlae_core.data.packing.files import write_nifti, write_picture, write_series

RANDOM = np.random.default_rng(5)
GREY = RANDOM.integers(0, 255, (6, 5), np.uint8)
MASK = np.zeros((6, 5), np.uint8)
MASK[1:3, 2:4] = 255


def _pack(folder: Path, *sources: Path, **settings: Any) -> Packed:
    recipe = Recipe(sources=sources or (folder / "images",), salt=b"salt", **settings)
    return pack(recipe, folder / "X.h5", folder / "y.h5")


def _attributes(path: Path, name: str) -> dict[str, Any]:
    with h5py.File(path) as file:
        return dict(file[name].attrs)


def _problems(folder: Path, *sources: Path, **settings: Any) -> tuple[str, ...]:
    with pytest.raises(UnusableDataset) as caught:
        _pack(folder, *sources, **settings)
    assert not list(folder.glob("*.h5"))
    assert not list(folder.glob(".*"))
    return caught.value.problems


def test_pictures_and_masks_pair_by_name_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 2):
        write_picture(tmp_path / "images" / f"img{number}.png", GREY + np.uint8(number))
        write_picture(tmp_path / "masks" / f"img{number}_mask.png", MASK // 255 * number)
    packed = _pack(tmp_path, masks=tmp_path / "masks", suffix="_mask")
    assert (packed.samples, packed.sources, packed.groups) == (3, 3, 0)
    assert packed.forms == {((6, 5), "uint8"): 3}
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for name, number in zip("012", (2, 9, 10), strict=True):
            np.testing.assert_array_equal(pairs.images.read(name), GREY + np.uint8(number))
            np.testing.assert_array_equal(pairs.annotations.read(name), MASK // 255 * number)


def test_the_source_is_a_salted_hash_of_the_name_and_nothing_else_is_told(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "Doe^Jane" / "scan.png", GREY)
    _pack(tmp_path, group_from="folder")
    expected = hmac.new(b"salt", b"source:Doe^Jane/scan", hashlib.sha256).hexdigest()
    group = hmac.new(b"salt", b"group:Doe^Jane", hashlib.sha256).hexdigest()[:16]
    assert _attributes(tmp_path / "X.h5", "0") == {"source": expected, "group": group}
    assert b"Doe" not in (tmp_path / "X.h5").read_bytes()


def test_random_salts_differ_and_are_not_shown() -> None:
    one, two = Recipe(()), Recipe(())
    assert one.salt != two.salt
    assert repr(one.salt) not in repr(one)


def test_masks_keep_their_numbers_unless_they_are_relabelled(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK)
    for relabel, highest, classes in (
        ("", 255, {}),
        ("255=1", 1, {"0": 0, "255": 1}),
        ("auto", 1, {"0": 0, "255": 1}),
    ):
        packed = _pack(tmp_path, masks=tmp_path / "masks", relabel=relabel)
        assert packed.classes == classes
        with SampleFile(tmp_path / "y.h5") as file:
            np.testing.assert_array_equal(file.read("0"), MASK // 255 * highest)
    with h5py.File(tmp_path / "y.h5") as file:
        assert json.loads(file.attrs["classes"]) == {"0": 0, "255": 1}


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (MASK / 2, "expected class numbers, found fractions"),
        (MASK * -1.0, "expected class numbers from 0 to 65535, found -255"),
        (MASK * 1000.0, "expected class numbers from 0 to 65535, found 255000"),
        (np.arange(30).reshape(6, 5) * 10, ""),
        (np.pad(np.arange(300).reshape(6, 50), 0), "expected at most 256 classes, found the"),
        (MASK + np.nan, "expected class numbers, found NaN or infinity"),
    ],
)
def test_masks_that_are_no_classes_are_refused(
    tmp_path: Path, mask: np.ndarray, sentence: str
) -> None:
    for folder, array in (("images", np.zeros(mask.shape)), ("masks", mask)):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", array)
    if sentence:
        assert sentence in _problems(tmp_path, masks=tmp_path / "masks")[0]
    else:
        assert _pack(tmp_path, masks=tmp_path / "masks", relabel="auto").classes["290"] == 29


def test_an_image_with_nan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "a.npy", GREY * np.nan)
    assert "found NaN or infinity" in _problems(tmp_path)[0]


def test_a_pipe_among_the_files_is_left_alone(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    os.mkfifo(tmp_path / "images" / "b.dcm")
    (tmp_path / "images" / "c.png").symlink_to(tmp_path / "nowhere.png")
    assert _pack(tmp_path).samples == 1


def test_a_number_that_the_relabelling_does_not_name_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK)
    found = _problems(tmp_path, masks=tmp_path / "masks", relabel="128=1")
    assert found[0].endswith("holds 255, which the relabelling does not name")
    found = _problems(tmp_path, masks=tmp_path / "masks", relabel="a=b")
    assert "pairs such as '255=1,128=2'" in found[0]


def test_boxes_from_masks_are_the_borders_of_their_regions(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "images" / "b.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK)
    write_picture(tmp_path / "masks" / "b.png", MASK * 0)
    _pack(tmp_path, masks=tmp_path / "masks", relabel="auto", boxes_from_masks=True)
    with SampleFile(tmp_path / "y.h5") as file:
        np.testing.assert_array_equal(file.read("0"), [[1, 2, 1, 4, 3]])
        assert file.shape("1") == (0, 5)


def test_classes_by_name_are_numbered_and_the_numbering_is_kept(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    table = tmp_path / "classes.csv"
    table.write_text("\ufeffName;Class\nb;malignant\na.png;benign\nc;malignant\nd;benign\n")
    packed = _pack(tmp_path, classes=table)
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
    _pack(tmp_path, classes=tmp_path / "classes.csv")
    with SampleFile(tmp_path / "y.h5") as file:
        assert file.read("0") == 7


def test_coordinates_keep_the_order_of_their_columns(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "points.csv").write_text("name\ty\tx\na\t1.5\t-2\n")
    assert _pack(tmp_path, coordinates=tmp_path / "points.csv").warnings == []
    with h5py.File(tmp_path / "y.h5") as file:
        assert (file["0"].dtype, file["0"][()].tolist()) == (np.float32, [1.5, -2])
        assert json.loads(file.attrs["columns"]) == ["y", "x"]


def test_coordinates_that_a_network_would_take_for_others_are_warned_of(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    (tmp_path / "points.csv").write_text("name,x,y\na,1,2\n")
    (warning,) = _pack(tmp_path, coordinates=tmp_path / "points.csv").warnings
    assert warning == "points.csv: stored as x, y; `annotation_type` coordinates are y, x"


def test_boxes_are_gathered_by_image_and_classes_are_numbered_from_1(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    (tmp_path / "boxes.csv").write_text(
        "name,class,xmin,ymin,xmax,ymax\na,node,0,1,2,3\nc,,,,,\na,cyst,1,1,5,6\n"
    )
    packed = _pack(tmp_path, boxes=tmp_path / "boxes.csv")
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
    assert sentence in _problems(tmp_path, boxes=tmp_path / "boxes.csv")[0]


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
    assert sentence in _problems(tmp_path, **{kind: table})[0]


def test_numpy_files_are_samples_and_their_arrays_too(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "a.npy", GREY.astype(">f4"))
    np.savez(tmp_path / "images" / "b.npz", first=GREY, second=GREY + 1)
    np.savez(tmp_path / "images" / "c.npz", only=np.zeros((3, 4, 2, 1)))
    packed = _pack(tmp_path)
    assert packed.forms[(6, 5), "uint8"] == 2
    with SampleFile(tmp_path / "X.h5") as file:
        assert file.dtype("0") == np.dtype("<f4")
        np.testing.assert_array_equal(file.read("2"), GREY + 1)
        assert file.shape("3") == (3, 4, 2, 1)


def test_a_stack_is_one_sample_per_place_on_its_first_axis(tmp_path: Path) -> None:
    images = RANDOM.normal(size=(12, 4, 3)).astype(np.float32)
    np.save(tmp_path / "train.npy", images)
    np.savez(tmp_path / "labels.npz", y=np.arange(12) % 3)
    packed = _pack(tmp_path, tmp_path / "train.npy", stacked=True, targets=tmp_path / "labels.npz")
    assert packed.samples == 12
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for place, name in enumerate(pairs.names):
            np.testing.assert_array_equal(pairs.images.read(name), images[place])
            assert pairs.annotations.read(name) == place % 3


def test_images_alone_can_be_packed(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    assert _pack(tmp_path).samples == 1
    assert [path.name for path in sorted(tmp_path.glob("*.h5"))] == ["X.h5"]


def test_volumes_become_slices_with_the_group_of_their_volume(tmp_path: Path) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = (5, 6, 7)
    for name in "ab":
        volume = RANDOM.integers(0, 99, (4, 5, 3), np.int16)
        write_nifti(tmp_path / "images" / f"{name}.nii.gz", volume, affine)
        write_nifti(tmp_path / "masks" / f"{name}.nii", (volume > 50).astype(np.uint8), affine)
    packed = _pack(tmp_path, masks=tmp_path / "masks", slices=True)
    assert (packed.samples, packed.sources, packed.groups) == (6, 2, 2)
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for name in pairs.names:
            plane = pairs.images.read(name)
            np.testing.assert_array_equal(pairs.annotations.read(name), plane > 50)
        np.testing.assert_array_equal(pairs.images.read("5"), volume[:, :, 2])
    first, last = (_attributes(tmp_path / "X.h5", name) for name in ("3", "5"))
    assert first["group"] == last["group"] != _attributes(tmp_path / "X.h5", "0")["group"]
    assert last["slice"] == 2
    np.testing.assert_array_equal(last["spacing_mm"], [2, 3])
    np.testing.assert_array_equal(last["affine"] @ [1, 1, 0, 1], [7, 9, 15, 1])


def test_slices_across_another_axis_map_to_the_same_places(tmp_path: Path) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    volume = RANDOM.integers(0, 99, (4, 5, 3), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, affine)
    _pack(tmp_path, slices=True, slice_axis=0)
    with SampleFile(tmp_path / "X.h5") as file:
        np.testing.assert_array_equal(file.read("3"), volume[3])
    known = _attributes(tmp_path / "X.h5", "3")
    np.testing.assert_array_equal(known["affine"] @ [1, 2, 0, 1], affine @ [3, 1, 2, 1])
    np.testing.assert_array_equal(known["spacing_mm"], [3, 4])


def test_planes_cannot_be_cut(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    assert "expected a volume to cut into slices" in _problems(tmp_path, slices=True)[0]


def test_groups_by_expression_are_the_match_in_the_path(tmp_path: Path) -> None:
    for name in ("p1_a", "p1_b", "p2_a"):
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    assert _pack(tmp_path, group_from=r"(p\d+)_").groups == 2
    found = [_attributes(tmp_path / "X.h5", name)["group"] for name in "012"]
    assert found[0] == found[1] != found[2]
    (tmp_path / "X.h5").unlink()
    assert "'p1_a' has no match for the group 'q'" in _problems(tmp_path, group_from="q")[0]
    assert "regular expression" in _problems(tmp_path, group_from="(")[0]
    assert "lies in no folder" in _problems(tmp_path, group_from="folder")[0]


def test_the_listing_tells_sources_in_clear(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "p1" / "a.png", GREY)
    packed = _pack(tmp_path, group_from="folder")
    write_listing(tmp_path / "listing.csv", packed)
    path = tmp_path / "images" / "p1" / "a.png"
    lines = (tmp_path / "listing.csv").read_text().splitlines()
    assert lines == ["name,source,group", f"0,{path},p1"]
    with pytest.raises(StorageFailed, match="cannot write"):
        write_listing(tmp_path, packed)


def test_all_unreadable_sources_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "good.png", GREY)
    (tmp_path / "images" / "empty.png").write_bytes(b"")
    (tmp_path / "images" / "broken.nii.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    (tmp_path / "images" / "objects.npy").write_bytes(b"\x93NUMPY\x01\x00\x00")
    found = _problems(tmp_path)
    assert [next(n for n in ("empty", "broken", "objects") if n in text) for text in found] == [
        "broken",
        "empty",
        "objects",
    ]


@pytest.mark.parametrize("content", [None, {}, {"notes.txt": b"hello"}])
def test_a_folder_without_images_is_refused(
    tmp_path: Path, content: dict[str, bytes] | None
) -> None:
    if content is not None:
        (tmp_path / "images").mkdir()
        for name, data in content.items():
            (tmp_path / "images" / name).write_bytes(data)
    sentence = "found nothing" if content is None else "found none"
    assert sentence in _problems(tmp_path)[0]


def test_images_without_a_mask_are_named_and_surplus_masks_warned_of(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    for name in "cd":
        write_picture(tmp_path / "masks" / f"{name}.png", MASK)
    found = _problems(tmp_path, masks=tmp_path / "masks")
    assert found == ("2 images have no file in masks (a, b)",)
    for name in "ab":
        write_picture(tmp_path / "masks" / f"{name}.png", MASK)
    packed = _pack(tmp_path, masks=tmp_path / "masks")
    assert packed.warnings == ["1 files in masks have no image (d)"]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK[:-1])
    found = _problems(tmp_path, masks=tmp_path / "masks")
    assert found[0].endswith("a.png: expected the 6 x 5 pixels of its image, got 5 x 5")


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "images" / "a.tif", GREY)
    assert "expected one image of the name 'a'" in _problems(tmp_path)[0]


def test_settings_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    table = tmp_path / "t.csv"
    assert "one kind" in _problems(tmp_path, classes=table, boxes=table)[0]
    assert "masks to find boxes in" in _problems(tmp_path, boxes_from_masks=True)[0]
    assert "masks to relabel" in _problems(tmp_path, relabel="auto")[0]
    assert "masks or classes for slices" in _problems(tmp_path, boxes=table, slices=True)[0]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    recipe = Recipe(sources=(tmp_path / "images",))
    with pytest.raises(StorageFailed, match="cannot write"):
        pack(recipe, tmp_path / "missing" / "X.h5", tmp_path / "missing" / "y.h5")


def test_progress_counts_sources_twice(tmp_path: Path) -> None:
    for name in "ab":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    (tmp_path / "c.csv").write_text("name,class\na,0\nb,1\n")
    told: list[tuple[str, int, int]] = []
    recipe = Recipe(sources=(tmp_path / "images",), classes=tmp_path / "c.csv")
    pack(recipe, tmp_path / "X.h5", tmp_path / "y.h5", lambda *what: told.append(what))
    assert told == [
        ("images", 0, 2),
        ("images", 1, 2),
        ("annotations", 0, 2),
        ("annotations", 1, 2),
    ]


def test_a_nifti_mask_with_other_axes_is_turned_onto_its_dicom_series(tmp_path: Path) -> None:
    volume = RANDOM.integers(0, 500, (4, 6, 3), np.uint16)
    write_series(tmp_path / "images" / "s1", volume)
    # NIfTI as tools write it: i along x to the left, j along y to the front, k up.
    mask = (volume > 200).astype(np.uint8).transpose(1, 0, 2)[::-1, ::-1]
    affine = np.diag([0.75, 0.5, 2.5, 1.0])
    # RAS of the voxel that DICOM places at x = -10 + 5 * 0.75, y = -20 + 3 * 0.5, z = 0 (LPS).
    affine[:3, 3] = (10 - 5 * 0.75, 20 - 3 * 0.5, 0)
    write_nifti(tmp_path / "masks" / "s1.nii.gz", np.ascontiguousarray(mask), affine)
    _pack(tmp_path, masks=tmp_path / "masks")
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        image = pairs.images.read("0")
        np.testing.assert_array_equal(image, volume.astype(int) - 1024)
        np.testing.assert_array_equal(pairs.annotations.read("0"), image > 200 - 1024)


def test_a_mask_on_another_grid_is_refused(tmp_path: Path) -> None:
    volume = np.zeros((4, 4, 4), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, np.eye(4))
    for affine in (np.diag([2.0, 1, 1, 1]), np.eye(4) + np.eye(4, k=3)):
        write_nifti(tmp_path / "masks" / "a.nii", volume, affine)
        found = _problems(tmp_path, masks=tmp_path / "masks")
        assert "its voxels are not those of its image" in found[0]


def test_volumes_of_different_orientation_are_warned_of(tmp_path: Path) -> None:
    volume = np.zeros((2, 3, 4), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, np.eye(4))
    write_nifti(tmp_path / "images" / "b.nii", volume, np.diag([-1.0, 1, 1, 1]))
    assert _pack(tmp_path).warnings == [
        "the axes of the images point into different directions: 1 RAS, 1 LAS"
    ]
