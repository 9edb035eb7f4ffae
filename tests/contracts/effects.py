"""What a setting can change: in the check, the data, the graph, the loss, the updates, the run."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from dlae_core.bundle import Bundle
from dlae_core.config import load_config, write_config
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.errors import DlaeError, InvalidConfig, Violation
from dlae_core.events import EpochFinished, TrainingStarted, Warned
from dlae_core.families.table import family_of
from dlae_core.inference import infer
from dlae_core.losses import loss_row
from dlae_core.monitors import build_monitors
from dlae_core.monitors.points import Points
from dlae_core.optimization import LearningRate, build_optimizer
from dlae_core.training import train
from dlae_core.training.learning import learner_of
from dlae_core.training_data import open_training_data
from dlae_core.validation import checked_networks, validate
from tests.dlae_core.families.configurations import DETECTION, JUDGE, TRANSLATION
from tests.sessions import config_text, write_bright_images

Sections = dict[str, dict[str, Any]]


@cache
def folder(root: Path) -> Path:
    """Returns a folder with the files of small sessions, images and volumes."""
    write_bright_images(root, count=8)
    (root / "other").mkdir()
    write_bright_images(root / "other", count=5)
    (root / "volumes").mkdir()
    write_bright_images(root / "volumes", count=4, space=(8, 8, 4))
    with h5py.File(root / "weights.h5", "w") as file:
        # Of a layer that no network has.
        file.attrs["layer_names"] = ["other"]
        file.create_group("other").attrs["weight_names"] = ["kernel"]
        file["other/kernel"] = np.zeros((7, 7, 7))
    image = keras.Input((8, 8, 1))
    keras.Model(image, keras.layers.Conv2D(2, 1)(image)).save(root / "model.h5")
    with SampleFile(root / "masks.h5") as masks:
        boxes = [(name, _box(masks.read(name))) for name in masks.names]
    write_samples(root / "boxes.h5", boxes)
    (root / "groups.csv").write_text("".join(f"{name},{name // 4}\n" for name in range(8)))
    return root


def _box(mask: np.ndarray) -> np.ndarray:
    """Returns the box around a block, with its class."""
    rows, columns = np.nonzero(mask)
    return np.array([[1.0, columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]])


def sections(root: Path, base: str, changes: dict[str, Any]) -> Sections:
    """Returns a small session of a kind of model, with values by `section.key`."""
    files = folder(root)
    model = "CNN" if base == "CNN" else "FCN"
    found: Sections = json.loads(config_text(files, model))
    found["training_configurations"] |= {"epochs": 1, "data_threads": 0}
    if base == "GAN":
        lists = {"generator_layer_list": TRANSLATION, "discriminator_layer_list": JUDGE}
        found |= {"layers": lists, "loss_function": {"loss": "pix2pix"}, "preprocessing": {}}
    elif base == "BBD":
        lists = {"serial_layer_list": DETECTION}
        found |= {"layers": lists, "loss_function": {"loss": "ssd"}, "preprocessing": {}}
        found["paths"]["train_y"] = str(files / "boxes.h5")
    found["config_file"]["model_signal"] = base
    for path, value in changes.items():
        section, _, key = path.partition(".")
        is_file = isinstance(value, str) and value.endswith((".h5", ".csv"))
        found.setdefault(section, {})[key] = str(files / value) if is_file else value
    return found


def findings(text: str) -> list[Violation]:
    """Returns everything that the check finds."""
    try:
        loaded = load_config(text)
    except InvalidConfig as error:
        return list(error.violations)
    return [*loaded.unsupported, *loaded.warnings]


def check(text: str, work: Path) -> Any:
    """Violations and warnings of the configuration alone."""
    return findings(text)


def written(text: str, work: Path) -> Any:
    """The configuration as it is kept with a model."""
    return write_config(load_config(text).config)


def report(text: str, work: Path) -> Any:
    """What validation says of graph and data."""
    return validate(load_config(text).config).violations


def graph(text: str, work: Path) -> Any:
    """Layers of the networks."""
    config = load_config(text).config
    return [network.summary() for network in family_of(config).networks(config)]


def output(text: str, work: Path) -> Any:
    """What the networks give before training."""
    config = load_config(text).config
    keras.utils.set_random_seed(config.augmentation.random_seed)
    model = family_of(config).networks(config)[0].model
    image = np.linspace(0, 1, int(np.prod(model.input_shape[1:])), dtype="float32")
    return np.asarray(model(image.reshape(1, *model.input_shape[1:]))).tolist()


def batches(text: str, work: Path) -> Any:
    """What the first epoch trains on and validates with; or why it cannot."""
    config = load_config(text).config
    try:
        with open_training_data(config, checked_networks(config)[0]) as data:
            found = [list(_batches(data.training))]
            if data.validation is not None:
                found.append(list(_batches(data.validation)))
            weights = None if data.class_weights is None else data.class_weights.tolist()
            return found, weights
    except DlaeError as error:
        return [], str(error)


def loss(text: str, work: Path) -> Any:
    """The loss of a fixed batch."""
    config = load_config(text).config
    probabilities = np.float32([[[[0.1, 0.9], [0.7, 0.3]], [[0.4, 0.6], [0.8, 0.2]]]])
    targets = np.float32([[[[0, 1], [1, 0]], [[1, 0], [1, 0]]]])
    return float(loss_row(config).build(config.loss_function, None)(targets, probabilities))


def updates(text: str, work: Path) -> Any:
    """A weight after some updates with falling gradients."""
    config = load_config(text).config
    optimizer = build_optimizer(config.optimizer, config.learning_rate_schedule.learning_rate)
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    for gradient in (1.0, 0.1, -0.5):
        optimizer.apply([keras.ops.convert_to_tensor([gradient])], [weight])
    return np.asarray(weight).tolist()


def rates(text: str, work: Path) -> Any:
    """Learning rates of twelve epochs of five updates whose validation loss stalls."""
    rate = LearningRate(load_config(text).config.learning_rate_schedule, steps=5, epochs=12)
    found = []
    for epoch in range(12):
        found += [rate.rate(5 * epoch + update, epoch) for update in range(5)]
        rate.epoch_finished(1.0)
    return found


def monitored(text: str, work: Path) -> Any:
    """Names of the metrics of a segmentation and of a search for points."""
    settings = load_config(text).config.monitors
    segmented = build_monitors(settings, "one_hot", True, 2)
    pointed = build_monitors(settings, "values", False, 0, Points(axes=2))
    return [sorted(kind.results(np.ones(kind.size))) for kind in (segmented, pointed)]


def learned(text: str, work: Path) -> Any:
    """What the steps of the first epoch sum up."""
    config = load_config(text).config
    keras.utils.set_random_seed(config.augmentation.random_seed)
    networks = checked_networks(config)
    with open_training_data(config, networks[0]) as data:
        learner = learner_of(config, networks, data)
        return [
            learner.steps.train(batch.images, batch.targets, learner.rates.of(number, 0)).tolist()
            for number, batch in enumerate(data.training.batches(0))
        ]


def run(text: str, work: Path) -> Any:
    """Events of a training: what it starts with, what it warns of, how many epochs it has."""
    told: list[Any] = []
    train(load_config(text).config, work, told.append, lambda: False)
    kept = [event for event in told if isinstance(event, (Warned, TrainingStarted))]
    return kept, sum(isinstance(event, EpochFinished) for event in told)


def trained(text: str, work: Path) -> Any:
    """What is left of a training: the metrics of the network; or why it cannot begin."""
    try:
        bundle = train(load_config(text).config, work, lambda event: None, lambda: False)
    except DlaeError as error:
        return str(error)
    return Bundle.open(bundle).manifest.metrics


def kept(text: str, work: Path) -> Any:
    """Names of the files of a model."""
    bundle = train(load_config(text).config, work, lambda event: None, lambda: False)
    return sorted(path.name for path in bundle.iterdir())


def log_bytes(text: str, work: Path) -> Any:
    """Length of the log for TensorBoard."""
    bundle = train(load_config(text).config, work, lambda event: None, lambda: False)
    return sum(path.stat().st_size for path in bundle.glob("events.*"))


def predicted(text: str, work: Path) -> Any:
    """Name and content of what a session of inference writes; or why it cannot."""
    try:
        path = infer(load_config(text).config, work, lambda event: None, lambda: False)
    except DlaeError as error:
        return str(error)
    with h5py.File(path) as file:
        return path.name, {name: file[name][()].tolist() for name in file}


def summaries(text: str, work: Path) -> Any:
    """The networks as validation shows them."""
    return validate(load_config(text).config).graphs


def _batches(pipeline: Any) -> Iterator[Any]:
    for batch in pipeline.batches(0):
        yield batch.images.tolist(), batch.targets.tolist()
