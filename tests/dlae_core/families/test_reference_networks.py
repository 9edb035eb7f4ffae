"""Every configuration of DLAE 1.0 that is at hand builds the networks that DLAE 1.0 built.

No weights are made: the graphs would fill gigabytes.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import Loaded, load_config
from dlae_core.families import cyclegan, pix2pix
from dlae_core.families.table import family_of
from dlae_core.graph import Network
from tests.reference import ROOT, reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

FILES = [
    str(path.relative_to(ROOT))
    for folder in ("configs", "prebuilt_configs")
    for path in sorted((ROOT / folder).glob("*.json"))
]
COMBINED: dict[str, Callable[[Sequence[keras.Model]], keras.Model]] = {
    "pix2pix": lambda models: pix2pix.combined(*models),
    "cyclegan": cyclegan.combined,
}
# Appendix A.3 of the specification: parameters of trunk and heads.
TRUNKS_AND_HEADS = {
    "configs/detection.json": (31888320, 719534),
    "configs/example_bbd.json": (31888320, 959208),
    "prebuilt_configs/mobilenet_ssd.json": (3228288, 363058),
    "prebuilt_configs/ssd.json": (31888320, 719534),
    "prebuilt_configs/vgg16_ssd.json": (14713536, 280114),
}
# What the files are warned of, beside keys left out and what watches a loss that is not there.
WARNED = {
    "configs/first_stage_classifier.json": {"SHAPE_MISMATCH", "RANK_MISMATCH"},
    "configs/first_stage_localizer.json": {"SHAPE_MISMATCH", "RANK_MISMATCH"},
    "configs/synthesis.json": {"SHAPE_MISMATCH", "RANGE_MISMATCH"},
    "prebuilt_configs/alexnet.json": {"NO_PROBABILITIES"},
    "prebuilt_configs/cyclegan.json": {"RANGE_MISMATCH"},
    "prebuilt_configs/pix2pix.json": {"RANGE_MISMATCH"},
}
ANCHORS_OUTSIDE = {"prebuilt_configs/mobilenet_ssd.json", "prebuilt_configs/vgg16_ssd.json"}


@pytest.fixture(autouse=True)
def _without_weights() -> Iterator[None]:
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()


def _loaded(file: str) -> Loaded:
    sections = json.loads(reference_path(file).read_text())
    sections["paths"] |= {"train_X": "X.h5", "train_y": "y.h5"}
    return load_config(json.dumps(sections))


def _golden(file: str) -> dict[str, Any]:
    return json.loads(Path(reference_path("golden", "models.json")).read_text())["configs"][file]


def _counts(network: Network) -> dict[str, Any]:
    summary = network.summary()
    return {
        "inputs": [list(entry.shape) for entry in network.model.inputs],
        "outputs": [list(output.shape) for output in network.model.outputs],
        "total_params": summary.parameters,
        "trainable_params": summary.trainable_parameters,
    }


def test_there_are_files_of_every_kind() -> None:
    kinds = {_loaded(file).config.config_file.model_signal for file in FILES}
    assert kinds == {"CNN", "FCN", "GAN", "BBD"}


@pytest.mark.parametrize("file", FILES)
def test_file_of_1_0_has_no_mistakes_and_builds_what_1_0_built(file: str) -> None:
    loaded = _loaded(file)
    reasons = {row.reason for row in loaded.warnings} - {"NO_EFFECT", "NOT_SET"}
    assert reasons == WARNED.get(file, set())
    family = family_of(loaded.config)
    networks = family.networks(loaded.config)
    assert family.violations(loaded.config, networks) == []
    outside = {row.reason for row in family.warnings(loaded.config, networks)}
    assert outside == ({"ANCHORS_OUTSIDE"} if file in ANCHORS_OUTSIDE else set())
    golden = _golden(file)
    # DLAE 1.0 numbers the networks of pix2pix too.
    named = {f"{name}1" if len(networks) == 2 else name for name in map(_name, networks)}
    assert named == set(golden["models"])
    for network, expected in zip(networks, golden["models"].values(), strict=True):
        assert _counts(network) == {key: expected[key] for key in _counts(network)}
    _check_detector(file, loaded.config, networks)
    _check_combined(loaded.config, networks, golden)


def _check_detector(file: str, config: Config, networks: Sequence[Network]) -> None:
    if config.config_file.model_signal != "BBD":
        return
    trunk, heads = 0, 0
    for row in networks[0].items:
        trunk += row.parameters if row.type != "Detection head" else 0
        heads += row.parameters if row.type == "Detection head" else 0
    assert (trunk, heads) == TRUNKS_AND_HEADS[file]
    assert len(networks[0].model.to_json()) < 700_000


def _check_combined(config: Config, networks: Sequence[Network], golden: dict[str, Any]) -> None:
    combine = COMBINED.get(config.loss_function.loss)
    if combine is None:
        return
    model, expected = combine([n.model for n in networks]), golden["models_after_compile"]["gan"]
    assert [list(output.shape) for output in model.outputs] == expected["outputs"]
    assert model.count_params() == expected["total_params"]


def _name(network: Network) -> str:
    return network.model.name
