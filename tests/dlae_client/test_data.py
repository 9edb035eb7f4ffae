"""`dlae-client data`: documents, texts, exit codes, pictures."""

import builtins
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dlae_client.cli.data.reading import config_from_file
from dlae_core.data.expectation import expectation_from_config
from dlae_core.data.source import PairedFiles, write_samples
from tests.dlae_client.conftest import Run
from tests.dlae_core.config.examples import sections
from tests.reference import reference_path

PNG = b"\x89PNG\r\n\x1a\n"
RANDOM = np.random.default_rng(6)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Ten images of 8 x 8 pixels with label maps of classes 0, 1, 2."""
    maps = [RANDOM.integers(0, 3, (8, 8), np.uint8) for _ in range(10)]
    noise = [(labels * 40 + RANDOM.integers(0, 20, (8, 8))).astype(np.uint16) for labels in maps]
    write_samples(tmp_path / "X.h5", [(str(place), image) for place, image in enumerate(noise)])
    write_samples(tmp_path / "y.h5", [(str(place), labels) for place, labels in enumerate(maps)])
    return tmp_path / "X.h5", tmp_path / "y.h5"


@pytest.fixture
def suiting(tmp_path: Path) -> Path:
    """A configuration that suits the files, and names none."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**sections(), "paths": {}}))
    return path


def _pictures(folder: Path, *names: str) -> Path:
    from PIL import Image

    folder.mkdir()
    for name in names:
        Image.fromarray(RANDOM.integers(0, 255, (6, 5), np.uint8)).save(folder / f"{name}.png")
    return folder


def test_the_report_tells_counts_shapes_intensities_and_classes(
    run: Run, files: tuple[Path, Path]
) -> None:
    done = run("data", "check", *files)
    assert (done.code, done.err) == (0, "")
    assert "X.h5: 10 samples" in done.out
    assert "10 of 8 x 8, uint16" in done.out
    with PairedFiles(*files) as pairs:
        pixels = np.stack([pairs.images.read(name) for name in pairs.names])
        labels = np.stack([pairs.annotations.read(name) for name in pairs.names])
    (channel,) = [line.split() for line in done.out.splitlines() if "channel 0" in line]
    assert float(channel[4]) == pytest.approx(pixels.mean(), rel=1e-5)
    assert set(channel[6]) <= set("▁▂▃▄▅▆▇█")
    row = ["1", str((labels == 1).sum()), f"{100 * (labels == 1).mean():.2f}", "%", "10"]
    assert row in [line.split() for line in done.out.splitlines()]
    assert done.out.endswith("the data can be trained on\n")


def test_the_document_of_check(run: Run, files: tuple[Path, Path], suiting: Path) -> None:
    told = run("data", "check", *files, "--config", suiting, "--json").document
    assert (told["valid"], told["problems"], told["warnings"]) == (True, [], [])
    assert told["annotations"]["meanings"] == {"map": 10}
    assert [row["class"] for row in told["annotations"]["classes"]] == [0, 1, 2]
    assert sum(row["count"] for row in told["annotations"]["classes"]) == 640


def test_what_does_not_suit_the_configuration_is_exit_3(
    run: Run, files: tuple[Path, Path], suiting: Path
) -> None:
    write_samples(files[1], [(str(place), np.full((8, 8), 3)) for place in range(11)])
    done = run("data", "check", *files, "--config", suiting)
    assert done.code == 3
    assert "problem: y.h5: dataset '0': expected class numbers from 0 to 2, found 3" in done.err
    assert "warning: y.h5: 1 annotations have no image" in done.err
    told = run("--json", "data", "check", *files, "--config", suiting)
    assert (told.code, told.document["valid"], len(told.document["problems"])) == (3, False, 10)


def test_a_configuration_with_mistakes_is_told(
    run: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    wrong = sections(preprocessing__categories=7)
    (tmp_path / "config.json").write_text(json.dumps(wrong))
    done = run("data", "check", *files, "--config", tmp_path / "config.json", "--json")
    assert (done.code, done.document["valid"]) == (3, False)
    assert run("data", "check", *files, "--config", tmp_path / "none.json").code == 1


def test_files_that_cannot_be_opened_are_told_both(run: Run, tmp_path: Path) -> None:
    done = run("data", "check", tmp_path / "X.h5", tmp_path / "y.h5")
    assert (done.code, done.out) == (3, "")
    assert done.err.count("problem: ") == 2
    told = run("data", "check", tmp_path / "X.h5", tmp_path / "y.h5", "--json").document
    assert (told["valid"], len(told["problems"])) == (False, 2)


def _maps(number: int) -> Any:
    return RANDOM.integers(0, 3, (8, 8), np.uint8)


def _volumes(number: int) -> Any:
    return RANDOM.integers(0, 3, (8, 8, 4, 1), np.uint8)


def _boxes(number: int) -> Any:
    return np.array([[1, 0, 0, 3, 4], [2, 1, 2, 8, 8]][: number % 3]).reshape(-1, 5)


def _values(number: int) -> Any:
    return RANDOM.normal(size=3)


def _class(number: int) -> Any:
    return np.array(number % 2)


def _wrong(number: int) -> Any:
    return np.array([np.nan, 1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "annotation"),
    [
        *[((8, 8), annotation) for annotation in (_maps, _boxes, _values, _class, _wrong)],
        *[(space, _maps) for space in ((8, 8, 3), (8, 8, 5), (8, 8, 4, 2))],
        ((8, 8, 4, 2), _volumes),
    ],
)
def test_the_figure_is_a_picture_whatever_the_data(
    run: Run, tmp_path: Path, space: tuple[int, ...], annotation: Callable[[int], Any]
) -> None:
    names = [str(place) for place in range(3)]
    write_samples(tmp_path / "X.h5", [(name, RANDOM.normal(size=space)) for name in names])
    write_samples(tmp_path / "y.h5", [(name, annotation(int(name))) for name in names])
    figure = tmp_path / "report.png"
    done = run("data", "check", tmp_path / "X.h5", tmp_path / "y.h5", "--figure", figure)
    assert done.code == (3 if annotation is _wrong else 0), done.err
    assert figure.read_bytes().startswith(PNG)
    assert not list(tmp_path.glob(".*"))


def test_a_missing_extra_is_one_sentence(
    run: Run, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] in ("matplotlib", "PIL"):
            raise ImportError(name)
        return plain(name, *rest)

    sources = _pictures(tmp_path / "images", "a")
    for module in [name for name in sys.modules if name.startswith(("matplotlib", "PIL"))]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(builtins, "__import__", without)
    done = run("data", "check", *files, "--figure", tmp_path / "a.png")
    assert done.code == 2
    assert done.err == "error: drawing needs matplotlib; `pip install 'dlae[plot]'` installs it\n"
    done = run("data", "pack", sources, "-o", tmp_path / "out")
    assert done.code == 3
    assert "reading pictures needs pillow" in done.err
    assert "`pip install 'dlae[pack]'`" in done.err


def test_pictures_are_packed_into_a_folder(run: Run, tmp_path: Path) -> None:
    sources = _pictures(tmp_path / "images", "a", "b")
    (tmp_path / "classes.csv").write_text("name,class\na,node\nb,cyst\nc,cyst\n")
    out = tmp_path / "new" / "set"
    arguments = ("data", "pack", sources, "--classes", tmp_path / "classes.csv", "-o", out)
    done = run(*arguments, "--listing", tmp_path / "listing.csv")
    assert done.code == 0
    assert (
        "2 of 6 x 5, uint8\nclasses: cyst = 0, node = 1\n2 samples, 2 sources, groups not known"
        in done.out
    )
    assert done.err == "warning: classes.csv: 1 names have no image and are left out (c)\n"
    with PairedFiles(out / "X.h5", out / "y.h5") as pairs:
        assert [int(pairs.annotations.read(name)) for name in pairs.names] == [1, 0]
    assert (tmp_path / "listing.csv").read_text().splitlines()[1] == f"0,{sources / 'a.png'},"
    assert run(*arguments).code == 1
    told = run(*arguments, "--force", "--json").document
    assert told["files"] == [str(out / "X.h5"), str(out / "y.h5")]
    assert (told["samples"], told["classes"]) == (2, {"cyst": 0, "node": 1})
    assert "images/a" not in json.dumps(told)


def test_the_same_salt_makes_the_same_pseudonyms(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = _pictures(tmp_path / "images", "a")
    monkeypatch.setenv("DLAE_PACK_SALT", "other")
    found = []
    for number, options in enumerate((["--salt", "s"], ["--salt", "s"], [])):
        path = tmp_path / f"{number}.h5"
        assert run("data", "pack", sources, "--images", path, *options).code == 0
        with h5py.File(path) as file:
            found.append(file["0"].attrs["source"])
    assert found[0] == found[1] != found[2]


def test_unusable_sources_are_exit_3_and_leave_nothing(run: Run, tmp_path: Path) -> None:
    sources = _pictures(tmp_path / "images", "a")
    (sources / "b.png").write_bytes(b"no picture")
    done = run("data", "pack", sources, "-o", tmp_path / "out", "--json")
    assert (done.code, done.document["error"]["reason"]) == (3, "UNUSABLE_DATASET")
    assert "b.png: cannot be read as a picture" in done.err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-o", "out", "--images", "X.h5"],
        ["-o", "out", "--annotations", "y.h5"],
        ["--images", "X.h5", "--classes", "c.csv"],
    ],
)
def test_outputs_that_do_not_go_together_are_exit_2(
    run: Run, tmp_path: Path, options: list[str]
) -> None:
    sources = _pictures(tmp_path / "images", "a")
    assert run("data", "pack", sources, *options).code == 2


def test_the_group_starts_without_numpy() -> None:
    program = "import sys, dlae_client.cli.data; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def _augmented(path: Path, **changes: Any) -> Path:
    flips = {
        "augmentation__apply_augmentation_switch": True,
        "augmentation__horizontal_flip_switch": True,
    }
    path.write_text(json.dumps(sections(**{**flips, **changes})))
    return path


@pytest.mark.slow
def test_the_preview_is_a_picture(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    config, picture = _augmented(tmp_path / "config.json"), tmp_path / "grid.png"
    arguments = ("data", "preview", config, "-o", picture, "--samples", 3, "--draws", 2)
    done = run(*arguments)
    assert (done.code, done.out, done.err) == (0, f"wrote {picture}\n", "")
    assert picture.read_bytes().startswith(PNG)
    assert run(*arguments).code == 1
    told = run(*arguments, "--force", "--json").document
    assert told == {"path": str(picture), "samples": ["0", "4", "9"], "varies": True}


def test_a_preview_of_nothing_random_says_so(
    run: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    config = _augmented(tmp_path / "c.json", augmentation__apply_augmentation_switch=False)
    done = run("data", "preview", config, "-o", tmp_path / "grid.png", "--samples", 1)
    assert done.code == 0
    assert "warning: nothing varies" in done.err


def test_what_cannot_be_previewed_is_told(
    run: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    picture = tmp_path / "grid.png"
    config = _augmented(tmp_path / "none.json", paths__train_X="", paths__train_y="")
    done = run("data", "preview", config, "-o", picture)
    assert (done.code, "expected paths.train_X and paths.train_y" in done.err) == (2, True)
    config = _augmented(tmp_path / "missing.json", paths__train_X="Z.h5")
    assert (
        "Z.h5: expected an HDF5 file, found no file"
        in run("data", "preview", config, "-o", picture).err
    )
    config = _augmented(tmp_path / "wrong.json", paths__train_y="X.h5")
    done = run("data", "preview", config, "-o", picture)
    assert (done.code, "y.h5: dataset '0'" in done.err) == (3, False)
    assert "X.h5: dataset '0': expected class numbers" in done.err
    assert not picture.exists()


def test_a_preview_without_opencv_is_one_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    config = _augmented(tmp_path / "config.json")
    program = (
        "import sys; sys.modules['cv2'] = None;"
        f"sys.argv = ['dlae-client', 'data', 'preview', '{config}', '-o', '{tmp_path}/grid.png'];"
        "from dlae_client.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    message = "error: moving images needs cv2; `pip install 'dlae[server]'` installs it\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_every_configuration_of_dlae_1_0_says_what_it_expects() -> None:
    # These name no files: what they say about files does not matter to a check.
    for path in sorted(reference_path("prebuilt_configs").glob("*.json")):
        config = config_from_file(path)
        expected = expectation_from_config(config, (2,))
        assert len(expected.image_shape) in (3, 4), path.name
        assert expected.boxes == (config.config_file.model_signal == "BBD"), path.name
