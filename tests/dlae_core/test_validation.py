"""Validation: graphs are built and reported, whatever keeps a configuration from being trained."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlae.v1.config_pb2 import Config
from dlae_core.config import load_config
from dlae_core.data.source import write_samples
from dlae_core.validation import Report, validate
from tests.dlae_core.config.examples import sections
from tests.dlae_core.families.configurations import (
    DETECTION,
    IMAGE,
    JUDGE,
    TRANSLATION,
    detector,
    gan,
)

pytestmark = pytest.mark.keras

# There are no files.
NO_DATA = ("paths", "UNUSABLE_DATASET")


def _found(report: Report) -> list[tuple[str, str]]:
    return [(row.path, row.reason) for row in report.violations]


def test_networks_are_built_though_there_are_no_data() -> None:
    report = validate(gan("cyclegan", TRANSLATION, JUDGE))
    assert _found(report) == [NO_DATA] * 2
    names = ["generator1", "generator2", "discriminator1", "discriminator2"]
    assert [graph.name for graph in report.graphs] == names
    assert [graph.output_shape for graph in report.graphs] == [(8, 8, 1)] * 2 + [(4, 4, 1)] * 2


def test_detector_is_reported_with_its_heads_and_warnings_of_its_graph() -> None:
    report = validate(detector(steps=[1, 32]))
    assert _found(report) == [NO_DATA] * 2
    assert [row.reason for row in report.warnings] == ["ANCHORS_OUTSIDE"]
    types = [layer.type for layer in report.graphs[0].layers]
    assert types[len(DETECTION) :] == ["Detection head", "Detection head", "Detections"]


def test_networks_that_do_not_suit_the_task_are_reported_too() -> None:
    report = validate(gan("pix2pix", [IMAGE, "Convolution 2D:3"], JUDGE))
    assert _found(report) == [("layers.generator_layer_list", "OUTPUT_SHAPE")]
    assert [graph.name for graph in report.graphs] == ["generator", "discriminator"]


def test_layer_that_does_not_fit_is_reported_at_its_item() -> None:
    report = validate(gan("pix2pix", [IMAGE, "Max pooling 2D:9"], JUDGE))
    assert _found(report) == [("layers.generator_layer_list[1]", "GRAPH_MISFIT")]
    assert report.graphs == ()


def test_session_of_inference_does_without_layers() -> None:
    config = Config()
    config.CopyFrom(detector())
    config.config_file.type_signal = "Inference"
    config.layers.Clear()
    report = validate(config)
    assert report.graphs == ()


def test_cost_of_training_is_estimated() -> None:
    report = validate(detector())
    assert report.memory_bytes > 0
    assert report.seconds_per_step > 0


def test_annotations_without_an_image_are_warned_of_and_both_files_are_told_of(
    tmp_path: Path,
) -> None:
    images, annotations = tmp_path / "X.h5", tmp_path / "y.h5"
    write_samples(images, [(str(name), np.zeros((8, 8, 1))) for name in range(4)])
    write_samples(annotations, [(str(name), np.zeros((8, 8))) for name in range(5)])
    paths = {"paths__train_X": str(images), "paths__train_y": str(annotations)}
    config = load_config(json.dumps(sections(**paths))).config
    report = validate(config)
    assert _found(report) == []
    (warning,) = [row for row in report.warnings if row.path == "paths"]
    assert (warning.reason, "1 annotations have no image" in warning.message) == ("NOT_USED", True)
    images.write_bytes(b"")
    annotations.write_bytes(b"")
    told = "".join(row.message for row in validate(config).violations)
    assert "X.h5" in told
    assert "y.h5" in told
