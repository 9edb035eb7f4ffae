"""The examples and the Python of the README, run as a reader would run them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlae_client import Client
from dlae_core.config import load_config
from examples.running import run_example
from examples.session import running_server
from examples.table import EXAMPLES
from examples.tissue.prepare import CLASSES, prepare, prepare_volumes, volumes

pytestmark = [pytest.mark.keras, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TISSUE = ROOT / "examples" / "tissue"


def test_the_digits_example_reads_held_out_digits_and_reuses_its_model(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = run_example(EXAMPLES["digits"], tmp_path)
    assert first.suffices
    assert "reused" not in capfd.readouterr().out
    assert (tmp_path / "evaluation" / "cases.png").exists()
    assert run_example(EXAMPLES["digits"], tmp_path).value == first.value
    told = capfd.readouterr().out
    assert "data     reused" in told
    assert "model    digits reused" in told


@pytest.mark.parametrize("name", EXAMPLES)
def test_data_and_network_of_every_example_suit_each_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlae_core.validation import validate

    EXAMPLES[name].prepare(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    report = validate(load_config(EXAMPLES[name].config.read_text()).config)
    assert (report.violations, report.warnings) == ((), ())


def test_cyclegan_is_not_shown_an_image_and_its_own_map(tmp_path: Path) -> None:
    from dlae_core.data.source import SampleFile

    EXAMPLES["cyclegan"].prepare(tmp_path)
    with SampleFile(tmp_path / "train_X.h5") as x, SampleFile(tmp_path / "train_y.h5") as y:
        assert not set(x.names) & set(y.names)
        assert min(len(x.names), len(y.names)) > 10


def test_the_example_of_volumes_segments_the_other_hemisphere(tmp_path: Path) -> None:
    from dlae_core.data.source import SampleFile

    prepare_volumes(tmp_path / "data")
    config = tmp_path / "config.json"
    shutil.copy(TISSUE / "config_3d.json", config)
    with running_server(tmp_path) as address, Client(address) as client:
        model = client.wait(client.train(config, "cubes").id).model
        with SampleFile(tmp_path / "data" / "test_X.h5") as file:
            found = client.predict(
                model, np.stack([file.read(name) for name in file.names]), labels=True
            )
        with SampleFile(tmp_path / "data" / "test_y.h5") as file:
            truth = np.stack([file.read(name) for name in file.names])
    for tissue in (CLASSES.index("grey matter"), CLASSES.index("white matter")):
        both = ((found == tissue) & (truth == tissue)).sum()
        assert 2 * both / ((found == tissue).sum() + (truth == tissue).sum()) > 0.85


def test_no_slice_is_both_trained_on_and_held_out(tmp_path: Path) -> None:
    from dlae_core.data.source import SampleFile

    prepare(tmp_path)
    names = []
    for part in ("train", "test"):
        with SampleFile(tmp_path / f"{part}_X.h5") as x, SampleFile(tmp_path / f"{part}_y.h5") as y:
            assert x.names == y.names
            assert {x.shape(name) for name in x.names} == {(112, 96, 1)}
            names.append(set(x.names))
    assert not names[0] & names[1]
    assert len(names[1]) == pytest.approx(len(names[0]) / 4, abs=1)


def test_labels_follow_the_tissue_maps() -> None:
    image, labels = volumes(4)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert not image[labels == 0].max() > 0.05
    # T1 weighting: white matter is brighter than grey matter, and that than fluid.
    means = [image[labels == tissue].mean() for tissue in (3, 1, 2)]
    assert means == sorted(means)


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    prepare(tmp_path / "data")
    text = (TISSUE / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"epochs": 40', '"epochs": 1'))
    with running_server(tmp_path) as address:
        assert "127.0.0.1:50051" in program
        program = program.replace("127.0.0.1:50051", address)
        program += "\nassert model == 'tissue@1' and labels.shape == (4, 112, 96)\n"
        command = [sys.executable, "-c", program]
        subprocess.run(command, cwd=tmp_path, check=True, env=os.environ, timeout=200)
