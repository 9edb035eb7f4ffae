"""The dry run of a large network: the real server, the real command line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dlae_client import Client
from dlae_core.data.source import write_samples
from examples.session import running_server
from tests.reference import reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

PARAMETERS = 34_540_682
WARM_SECONDS = 5.0
GIBIBYTE = 1 << 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the U-Net of DLAE 1.0 and two images for it."""
    path = tmp_path_factory.mktemp("validate")
    sections = json.loads(reference_path("prebuilt_configs", "unet2d.json").read_text())
    sections["paths"] |= {"train_X": "X.h5", "train_y": "y.h5"}
    sections["training_configurations"]["hardware"] = "cpu"
    (path / "unet2d.json").write_text(json.dumps(sections))
    images = np.random.default_rng(1).random((2, 512, 512, 1), np.float32)
    write_samples(path / "X.h5", [(str(number), one) for number, one in enumerate(images)])
    masks = [
        (str(number), (one[..., 0] > 0.5).astype(np.uint8)) for number, one in enumerate(images)
    ]
    write_samples(path / "y.h5", masks)
    return path


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A running server."""
    with running_server(folder) as listening:
        yield listening


def test_a_u_net_is_shown_with_what_it_takes_and_the_second_time_at_once(
    folder: Path, address: str
) -> None:
    with Client(address) as client:
        answer = client.validate(folder / "unet2d.json")
        times = []
        while not times or (min(times) > WARM_SECONDS and len(times) < 4):
            # The next worker loads its engine meanwhile.
            time.sleep(3)
            start = time.monotonic()
            again = client.validate(folder / "unet2d.json")
            times.append(time.monotonic() - start)
    assert answer.valid
    (graph,) = answer.graphs
    assert (graph.parameters, list(graph.output_shape)) == (PARAMETERS, [512, 512, 2])
    target = next(layer for layer in graph.layers if layer.type == "Outer skip target")
    source = graph.layers[target.inputs[1]]
    assert source.type == "Outer skip source"
    assert source.output_shape[:2] == target.output_shape[:2]
    # A batch of 32; 2.1 GiB for each of its images.
    assert 35 * GIBIBYTE < answer.memory_bytes < 140 * GIBIBYTE
    assert answer.seconds_per_step > 0
    assert (again.memory_bytes, again.graphs) == (answer.memory_bytes, answer.graphs)
    assert min(times) < WARM_SECONDS


def test_the_command_line_draws_the_network(folder: Path, address: str) -> None:
    drawing = folder / "unet2d.svg"
    command = [sys.executable, "-m", "dlae_client.cli.main", "--server", address, "validate"]
    command += [str(folder / "unet2d.json"), "--plot", str(drawing)]
    # Relative paths are those beside the file, from wherever it is called.
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=os.sep, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert f"{PARAMETERS:,} weights" in done.stdout
    assert " an epoch of 1 step\n" in done.stdout
    assert drawing.read_text().count("Outer skip target") == 4
