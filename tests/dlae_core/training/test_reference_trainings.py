"""Whole trainings against those of DLAE 1.0: four epochs from the same weights, in the same order.

Statistics of batch normalization are not compared, nor what depends on them: Keras 2.2.4 keeps
others. Neither are biases right before it, whose gradient is rounding. Of the detector only the
first loss is compared, before any update: afterwards the losses of 1.0 are some percent apart,
though its loss has our derivatives (`tests/dlae_core/losses/test_detection.py`).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.events import EpochFinished, StepFinished
from dlae_core.training.learning import learner_of
from dlae_core.training.run import Caller, Run
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks
from tests.reference import reference_path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

CASES = (
    ("cnn_wcce_sgd", "cnn"),
    ("fcn_jaccard_sgd", "fcn"),
    ("fcn_weighted_categorical_crossentropy_sgd", "fcn"),
    ("bbd_ssd_sgd", "bbd"),
)
# Of the detector: 1.0 lists the heads by depth, classes of both hooks before their boxes.
DETECTOR = (
    *("item001_convolution", "item003_convolution", "item006_convolution"),
    *("hook0_scaling", "hook0_classes", "hook1_classes", "hook0_offsets", "hook1_offsets"),
)


@cache
def _arrays() -> dict[str, np.ndarray]:
    with np.load(reference_path("golden", "trained.npz")) as file:
        return dict(file)


def _weights(case: str, when: str) -> list[np.ndarray]:
    names = sorted(
        (name for name in _arrays() if name.startswith(f"{case}/{when}")),
        key=lambda name: int(name.removeprefix(f"{case}/{when}")),
    )
    return [_arrays()[name] for name in names]


def _variables(model: keras.Model, case: str) -> list[Any]:
    """Returns the weights of a network in the order of DLAE 1.0."""
    if not case.startswith("bbd"):
        return list(model.weights)
    return [one for name in DETECTOR for one in model.get_layer(name).weights]


def _compared(variables: list[Any]) -> list[int]:
    """Returns the places of weights that both trainings must agree in."""
    kinds = [one.path.rpartition("/")[2] for one in variables]
    before = {place - 1 for place, kind in enumerate(kinds) if kind == "gamma"}
    return [
        place
        for place, kind in enumerate(kinds)
        if not kind.startswith("moving") and place not in before
    ]


@pytest.mark.parametrize(("case", "images"), CASES, ids=[one[0] for one in CASES])
def test_losses_and_weights_are_those_of_1_0(tmp_path: Path, case: str, images: str) -> None:
    known = json.loads(reference_path("golden", "trained.json").read_text())["cases"][case]
    config = load_config(_text(known["config"], images, tmp_path)).config
    (network,) = checked_networks(config)
    variables = _variables(network.model, case)
    for variable, start in zip(variables, _weights(case, "w_init"), strict=True):
        variable.assign(start.reshape(variable.shape))
    told: list[Any] = []
    (tmp_path / "bundle").mkdir()
    with open_training_data(config, network) as data:
        learner = learner_of(config, [network], data)
        Run(config, learner, data, tmp_path, Caller(told.append, lambda: False)).fit()
    first = next(event.metrics["loss"] for event in told if isinstance(event, StepFinished))
    assert first == pytest.approx(known["batch_losses"][0], rel=1e-5)
    if case.startswith("bbd"):
        return
    losses = [event.metrics["loss"] for event in told if isinstance(event, EpochFinished)]
    assert losses == pytest.approx([one["loss"] for one in known["epochs"]], rel=1e-4)
    ends = _weights(case, "w_final")
    for place in _compared(variables):
        found = np.asarray(variables[place]).reshape(ends[place].shape)
        np.testing.assert_allclose(found, ends[place], rtol=1e-3, atol=1e-4)


def _text(sections: dict[str, Any], images: str, folder: Path) -> str:
    """Writes the data of a case; returns its configuration with their paths."""
    for role, key in (("train_X", "X"), ("train_y", "y")):
        path = folder / f"{key}.h5"
        stored = _arrays()[f"data/{images}/{key}"]
        write_samples(path, [(str(number), one) for number, one in enumerate(stored)])
        sections["paths"][role] = str(path)
    return json.dumps(sections)
