"""Packing: sources of many kinds to two files."""

import hashlib
import hmac
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from dlae_core.data.packing import Recipe, pack, write_listing
from dlae_core.data.source import PairedFiles, SampleFile
from dlae_core.errors import StorageFailed
from tests.dlae_core.data.packing.files import (
    GREY,
    MASK,
    RANDOM,
    attributes_of,
    packed_from,
    problems,
    write_nifti,
    write_picture,
    write_series,
)


def test_pictures_and_masks_pair_by_name_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 2):
        write_picture(tmp_path / "images" / f"img{number}.png", GREY + np.uint8(number))
        write_picture(tmp_path / "masks" / f"img{number}_mask.png", MASK // 255 * number)
    packed = packed_from(tmp_path, masks=tmp_path / "masks", suffix="_mask")
    assert (packed.samples, packed.sources, packed.groups) == (3, 3, 0)
    assert packed.forms == {((6, 5), "uint8"): 3}
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for name, number in zip("012", (2, 9, 10), strict=True):
            np.testing.assert_array_equal(pairs.images.read(name), GREY + np.uint8(number))
            np.testing.assert_array_equal(pairs.annotations.read(name), MASK // 255 * number)


def test_the_source_is_a_salted_hash_of_the_name_and_nothing_else_is_told(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "Doe^Jane" / "scan.png", GREY)
    packed_from(tmp_path, group_from="folder")
    expected = hmac.new(b"salt", b"source:Doe^Jane/scan", hashlib.sha256).hexdigest()
    group = hmac.new(b"salt", b"group:Doe^Jane", hashlib.sha256).hexdigest()[:16]
    assert attributes_of(tmp_path / "X.h5", "0") == {"source": expected, "group": group}
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
        packed = packed_from(tmp_path, masks=tmp_path / "masks", relabel=relabel)
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
        assert sentence in problems(tmp_path, masks=tmp_path / "masks")[0]
    else:
        assert packed_from(tmp_path, masks=tmp_path / "masks", relabel="auto").classes["290"] == 29


def test_an_image_with_nan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "a.npy", GREY * np.nan)
    assert "found NaN or infinity" in problems(tmp_path)[0]


def test_a_pipe_among_the_files_is_left_alone(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    os.mkfifo(tmp_path / "images" / "b.dcm")
    (tmp_path / "images" / "c.png").symlink_to(tmp_path / "nowhere.png")
    assert packed_from(tmp_path).samples == 1


def test_a_number_that_the_relabelling_does_not_name_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK)
    found = problems(tmp_path, masks=tmp_path / "masks", relabel="128=1")
    assert found[0].endswith("holds 255, which the relabelling does not name")
    found = problems(tmp_path, masks=tmp_path / "masks", relabel="a=b")
    assert "pairs such as '255=1,128=2'" in found[0]


def test_numpy_files_are_samples_and_their_arrays_too(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "a.npy", GREY.astype(">f4"))
    np.savez(tmp_path / "images" / "b.npz", first=GREY, second=GREY + 1)
    np.savez(tmp_path / "images" / "c.npz", only=np.zeros((3, 4, 2, 1)))
    packed = packed_from(tmp_path)
    assert packed.forms[(6, 5), "uint8"] == 2
    with SampleFile(tmp_path / "X.h5") as file:
        assert file.dtype("0") == np.dtype("<f4")
        np.testing.assert_array_equal(file.read("2"), GREY + 1)
        assert file.shape("3") == (3, 4, 2, 1)


def test_a_stack_is_one_sample_per_place_on_its_first_axis(tmp_path: Path) -> None:
    images = RANDOM.normal(size=(12, 4, 3)).astype(np.float32)
    np.save(tmp_path / "train.npy", images)
    np.savez(tmp_path / "labels.npz", y=np.arange(12) % 3)
    packed = packed_from(
        tmp_path, tmp_path / "train.npy", stacked=True, targets=tmp_path / "labels.npz"
    )
    assert packed.samples == 12
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for place, name in enumerate(pairs.names):
            np.testing.assert_array_equal(pairs.images.read(name), images[place])
            assert pairs.annotations.read(name) == place % 3


def test_images_alone_can_be_packed(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    assert packed_from(tmp_path).samples == 1
    assert [path.name for path in sorted(tmp_path.glob("*.h5"))] == ["X.h5"]


def test_volumes_become_slices_with_the_group_of_their_volume(tmp_path: Path) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = (5, 6, 7)
    for name in "ab":
        volume = RANDOM.integers(0, 99, (4, 5, 3), np.int16)
        write_nifti(tmp_path / "images" / f"{name}.nii.gz", volume, affine)
        write_nifti(tmp_path / "masks" / f"{name}.nii", (volume > 50).astype(np.uint8), affine)
    packed = packed_from(tmp_path, masks=tmp_path / "masks", slices=True)
    assert (packed.samples, packed.sources, packed.groups) == (6, 2, 2)
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        for name in pairs.names:
            plane = pairs.images.read(name)
            np.testing.assert_array_equal(pairs.annotations.read(name), plane > 50)
        np.testing.assert_array_equal(pairs.images.read("5"), volume[:, :, 2])
    first, last = (attributes_of(tmp_path / "X.h5", name) for name in ("3", "5"))
    assert first["group"] == last["group"] != attributes_of(tmp_path / "X.h5", "0")["group"]
    assert last["slice"] == 2
    np.testing.assert_array_equal(last["spacing_mm"], [2, 3])
    np.testing.assert_array_equal(last["affine"] @ [1, 1, 0, 1], [7, 9, 15, 1])


def test_slices_across_another_axis_map_to_the_same_places(tmp_path: Path) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    volume = RANDOM.integers(0, 99, (4, 5, 3), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, affine)
    packed_from(tmp_path, slices=True, slice_axis=0)
    with SampleFile(tmp_path / "X.h5") as file:
        np.testing.assert_array_equal(file.read("3"), volume[3])
    known = attributes_of(tmp_path / "X.h5", "3")
    np.testing.assert_array_equal(known["affine"] @ [1, 2, 0, 1], affine @ [3, 1, 2, 1])
    np.testing.assert_array_equal(known["spacing_mm"], [3, 4])


def test_planes_cannot_be_cut(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    assert "expected a volume to cut into slices" in problems(tmp_path, slices=True)[0]


def test_groups_by_expression_are_the_match_in_the_path(tmp_path: Path) -> None:
    for name in ("p1_a", "p1_b", "p2_a"):
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    assert packed_from(tmp_path, group_from=r"(p\d+)_").groups == 2
    found = [attributes_of(tmp_path / "X.h5", name)["group"] for name in "012"]
    assert found[0] == found[1] != found[2]
    (tmp_path / "X.h5").unlink()
    assert "'p1_a' has no match for the group 'q'" in problems(tmp_path, group_from="q")[0]
    assert "regular expression" in problems(tmp_path, group_from="(")[0]
    assert "lies in no folder" in problems(tmp_path, group_from="folder")[0]


def test_the_listing_tells_sources_in_clear(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "p1" / "a.png", GREY)
    packed = packed_from(tmp_path, group_from="folder")
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
    found = problems(tmp_path)
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
    assert sentence in problems(tmp_path)[0]


def test_images_without_a_mask_are_named_and_surplus_masks_warned_of(tmp_path: Path) -> None:
    for name in "abc":
        write_picture(tmp_path / "images" / f"{name}.png", GREY)
    for name in "cd":
        write_picture(tmp_path / "masks" / f"{name}.png", MASK)
    found = problems(tmp_path, masks=tmp_path / "masks")
    assert found == ("2 images have no file in masks (a, b)",)
    for name in "ab":
        write_picture(tmp_path / "masks" / f"{name}.png", MASK)
    packed = packed_from(tmp_path, masks=tmp_path / "masks")
    assert packed.warnings == ["1 files in masks have no image (d)"]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "masks" / "a.png", MASK[:-1])
    found = problems(tmp_path, masks=tmp_path / "masks")
    assert found[0].endswith("a.png: expected the 6 x 5 pixels of its image, got 5 x 5")


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    write_picture(tmp_path / "images" / "a.tif", GREY)
    assert "expected one image of the name 'a'" in problems(tmp_path)[0]


def test_settings_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.png", GREY)
    table = tmp_path / "t.csv"
    assert "one kind" in problems(tmp_path, classes=table, boxes=table)[0]
    assert "masks to find boxes in" in problems(tmp_path, boxes_from_masks=True)[0]
    assert "masks to relabel" in problems(tmp_path, relabel="auto")[0]
    assert "masks or classes for slices" in problems(tmp_path, boxes=table, slices=True)[0]


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
    packed_from(tmp_path, masks=tmp_path / "masks")
    with PairedFiles(tmp_path / "X.h5", tmp_path / "y.h5") as pairs:
        image = pairs.images.read("0")
        np.testing.assert_array_equal(image, volume.astype(int) - 1024)
        np.testing.assert_array_equal(pairs.annotations.read("0"), image > 200 - 1024)


def test_a_mask_on_another_grid_is_refused(tmp_path: Path) -> None:
    volume = np.zeros((4, 4, 4), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, np.eye(4))
    for affine in (np.diag([2.0, 1, 1, 1]), np.eye(4) + np.eye(4, k=3)):
        write_nifti(tmp_path / "masks" / "a.nii", volume, affine)
        found = problems(tmp_path, masks=tmp_path / "masks")
        assert "its voxels are not those of its image" in found[0]


def test_volumes_of_different_orientation_are_warned_of(tmp_path: Path) -> None:
    volume = np.zeros((2, 3, 4), np.int16)
    write_nifti(tmp_path / "images" / "a.nii", volume, np.eye(4))
    write_nifti(tmp_path / "images" / "b.nii", volume, np.diag([-1.0, 1, 1, 1]))
    assert packed_from(tmp_path).warnings == [
        "the axes of the images point into different directions: 1 RAS, 1 LAS"
    ]
