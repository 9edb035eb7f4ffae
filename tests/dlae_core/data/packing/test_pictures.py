"""Pictures: modes, pages, and what would be lost."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlae_core.data.packing.picture import read_picture
from dlae_core.errors import UnusableDataset

RANDOM = np.random.default_rng(2)
RGB = RANDOM.integers(0, 255, (5, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a.png", RGB),
        ("a.png", RGB[..., 0]),
        ("a.bmp", RGB),
        ("a.png", RANDOM.integers(0, 65535, (5, 4), np.uint16)),
        ("a.tif", RANDOM.integers(0, 65535, (5, 4), np.uint16)),
        ("a.tiff", RANDOM.integers(-70000, 70000, (5, 4), np.int32)),
        ("a.tif", RANDOM.normal(size=(5, 4)).astype(np.float32)),
    ],
)
def test_numbers_come_back_as_they_were(tmp_path: Path, name: str, array: np.ndarray) -> None:
    Image.fromarray(array).save(tmp_path / name)
    found = read_picture(tmp_path / name)
    assert (found.array.dtype, found.axes) == (array.dtype, 2)
    np.testing.assert_array_equal(found.array, array)


def test_black_and_white_is_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0] > 99).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").array, RGB[..., 0] > 99)


def test_big_endian_pictures_are_read_in_our_order(tmp_path: Path) -> None:
    array = RANDOM.integers(0, 65535, (5, 4), np.uint16)
    Image.frombytes("I;16B", (4, 5), array.astype(">u2").tobytes()).save(tmp_path / "a.tif")
    found = read_picture(tmp_path / "a.tif").array
    assert found.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(found, array)


def test_a_palette_is_colours_in_an_image_and_classes_in_a_label_map(tmp_path: Path) -> None:
    numbers = np.arange(20, dtype=np.uint8).reshape(5, 4) % 3
    picture = Image.fromarray(numbers)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", as_labels=True).array, numbers)
    colours = read_picture(tmp_path / "a.png").array
    np.testing.assert_array_equal(colours, np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]])[numbers])


def test_an_opaque_alpha_channel_is_dropped_and_transparency_refused(tmp_path: Path) -> None:
    alpha = np.full((5, 4, 1), 255, np.uint8)
    Image.fromarray(np.concatenate([RGB, alpha], axis=2)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").array, RGB)
    Image.fromarray(np.concatenate([RGB, alpha - 1], axis=2)).save(tmp_path / "a.png")
    with pytest.raises(UnusableDataset, match="transparency"):
        read_picture(tmp_path / "a.png")


def test_label_maps_in_equal_colours_are_numbers_and_other_colours_refused(tmp_path: Path) -> None:
    Image.fromarray(np.repeat(RGB[..., :1], 3, axis=2)).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png", as_labels=True)
    np.testing.assert_array_equal(found.array, RGB[..., 0])
    Image.fromarray(RGB).save(tmp_path / "a.png")
    with pytest.raises(UnusableDataset, match="one class number per pixel, got colours"):
        read_picture(tmp_path / "a.png", as_labels=True)


def test_jpeg_is_an_image_but_no_label_map(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").array.shape == (5, 4, 3)
    with pytest.raises(UnusableDataset, match="save label maps as PNG"):
        read_picture(tmp_path / "a.jpg", as_labels=True)


def test_a_photograph_is_turned_as_its_camera_noted(tmp_path: Path) -> None:
    noted = Image.Exif()
    noted[0x0112] = 6  # rotated by 90 degrees
    Image.fromarray(RGB[..., 0]).save(tmp_path / "a.png", exif=noted)
    found = read_picture(tmp_path / "a.png").array
    np.testing.assert_array_equal(found, np.rot90(RGB[..., 0], -1))


def test_pages_are_slices(tmp_path: Path) -> None:
    pages = RANDOM.integers(0, 99, (3, 5, 4), np.uint8)
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest)
    found = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, pages.transpose(1, 2, 0))
    assert found.axes == 3
    first.save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(RGB)])
    with pytest.raises(UnusableDataset, match="pages of one size and type"):
        read_picture(tmp_path / "a.tif")


def test_colours_of_16_bits_are_refused_because_half_would_be_lost(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    wide = RANDOM.integers(0, 65535, (5, 4, 3), np.uint16)
    for name in ("a.png", "a.tif"):
        assert cv2.imwrite(str(tmp_path / name), wide)
        with pytest.raises(UnusableDataset, match="16"):
            read_picture(tmp_path / name)


def test_other_modes_are_named(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.tif")
    with pytest.raises(
        UnusableDataset, match="expected grey levels or RGB colours, got the mode C"
    ):
        read_picture(tmp_path / "a.tif")


def test_damaged_files_are_errors_of_ours(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for name in ("a.png", "a.tif", "a.jpg"):
        Image.fromarray(RGB).save(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        refused = 0
        for turn in range(80):
            broken = bytearray(content)
            for place in random.integers(len(content), size=3):
                broken[place] ^= 0xFF
            (tmp_path / name).write_bytes(broken if turn % 2 else content[: turn * 2])
            try:
                read_picture(tmp_path / name)
            except UnusableDataset:
                refused += 1
        assert refused > 20


def test_a_picture_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(UnusableDataset, match="too large"):
        read_picture(tmp_path / "a.png")
