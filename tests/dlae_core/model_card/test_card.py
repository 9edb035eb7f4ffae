"""Cards say what the bundle says, in three forms, and name nobody."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlae_core.bundle import Bundle, file_sha256, write_manifest
from dlae_core.config import read_config, resolve_config, write_config
from dlae_core.model_card import Facts, Identity, card, card_text, monai_metadata

WHO = Identity("tissue", 3, ("best", "production"), "tissue@2")
FACTS = {
    "dlae_version": "2.1",
    "keras_version": "3.15",
    "create_time": "2026-01-02T03:04:05+00:00",
    "family": "FCN",
    "input_shape": (0, 0, 1),
    "output_shape": (0, 0, 2),
    "classes": 2,
    "parameters": 12345,
    "metrics": {"val_dice": 0.91234, "loss": 0.5},
    "seed": 11,
    "preprocessing": {"mean": [0.25], "deviation": []},
    "data": {"train_X": {"sha256": "ab" * 32, "samples": 16}},
    "engines": {
        "openvino": {"file": "model.onnx", "samples": 8, "largest_difference": 1.2e-6},
        "onnxruntime": {"refused": "no file /home/ada/x.onnx"},
    },
    "precisions": {
        "bfloat16": {
            "engine": "openvino",
            "file": "model.onnx",
            "samples": 9,
            "largest_difference": 0.0472,
            "metrics": {"dice": [0.86423, 0.86312]},
        },
        "int8": {
            "engine": "openvino",
            "file": "int8.onnx",
            "samples": 9,
            "largest_difference": 0.2,
            "metrics": {"dice": [0.86423, 0.5]},
            "refused": "its dice falls from 0.8642 to 0.5000, by more than 0.01",
        },
    },
}


def bundle(folder: Path, split: bool = True, **changes: Any) -> Bundle:
    """Writes and opens a bundle without a network."""
    sections = {
        "config_file": {"model_signal": "FCN"},
        "augmentation": {"random_seed": 11, "rotation_range": 10},
        "loss_function": {"loss": "soft_dice"},
        "learning_rate_schedule": {"learning_rate": 0.02},
        "training_configurations": {"epochs": 7, "split_group": "patient"},
        "layers": {"serial_layer_list": ["Input:(8, 8, 1)", "Convolution 2D:2:(1, 1)"] * 2},
    }
    config = resolve_config(read_config(json.dumps(sections)).config)
    (folder / "config.json").write_text(write_config(config))
    (folder / "history.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n")
    if split:
        names = {"training": {"train_X": ["a", "b", "c"]}, "validation": {"train_X": ["smith"]}}
        (folder / "split.json").write_text(json.dumps(names))
    write_manifest(folder, FACTS | changes)
    return Bundle.open(folder)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return card(bundle(tmp_path), WHO)


def test_a_card_says_what_the_bundle_says(facts: Facts, tmp_path: Path) -> None:
    assert (facts["model"], facts["parent"]) == ("tissue@3", "tissue@2")
    assert facts["task"]["description"].startswith("segmentation")
    assert facts["network"]["layers"] == {"Input": 2, "Convolution 2D": 2}
    assert facts["data"]["samples"] == {"training": 3, "validation": 1}
    assert facts["data"]["files"] == FACTS["data"]
    assert facts["preprocessing"]["statistics"] == {"mean": [0.25]}
    assert facts["training"]["epochs_trained"] == 2
    assert facts["files"]["config.json"]["sha256"] == file_sha256(tmp_path / "config.json")
    assert json.loads(json.dumps(facts)) == facts


def test_settings_are_those_that_matter_and_those_that_are_no_defaults(facts: Facts) -> None:
    settings = facts["training"]["settings"]
    assert settings["loss_function"] == {"loss": "soft_dice"}
    assert settings["learning_rate_schedule"] == {"learning_rate": 0.02}
    assert settings["augmentation"] == {"random_seed": 11, "rotation_range": 10.0}
    assert settings["training_configurations"]["epochs"] == 7
    assert "restore_best_switch" not in settings["training_configurations"]


def test_nothing_in_a_card_names_a_path_a_sample_or_a_group(facts: Facts) -> None:
    for text in (json.dumps(facts), card_text(facts), json.dumps(monai_metadata(facts))):
        for secret in ("smith", "split_group", "/home", "ada"):
            assert secret not in text
    assert facts["engines"]["onnxruntime"] == {"refused": "it cannot run this network"}


def test_a_card_for_people_has_every_chapter(facts: Facts) -> None:
    text = card_text(facts)
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        *("Origin", "Network", "Data", "Preprocessing", "Training", "Metrics", "Engines"),
        *("Precisions", "Limitations"),
    ]
    for row in (
        "| aliases | best, production |",
        "| weights | 12,345 |",
        "| input | any x any x 1 |",
        "| val_dice | 0.9123 |",
        "| openvino | largest difference from Keras 1.2e-06, over 8 samples |",
        "| bfloat16 | accepted: dice 0.8631 (0.8642 in float32), largest difference 4.7e-02, over "
        "9 validation samples on openvino |",
        "| int8 | not used: its dice falls from 0.8642 to 0.5000, by more than 0.01; over 9 "
        "validation samples on openvino |",
        "- Trained on 3 samples only.",
        "- Does not run on: onnxruntime.",
    ):
        assert row in text.splitlines(), row


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    nothing = {"metrics": {}, "data": {}, "engines": {}, "preprocessing": {}, "classes": 0}
    facts = card(bundle(tmp_path, split=False, **nothing), Identity("m", 1))
    text = card_text(facts)
    assert "## Engines" not in text
    assert "## Data" not in text
    assert "aliases" not in text
    assert "regression" in text
    assert any("No sample was kept" in sentence for sentence in facts["limitations"])


def test_monai_reads_channels_shapes_and_kinds(facts: Facts) -> None:
    formats = monai_metadata(facts)["network_data_format"]
    assert formats["inputs"]["image"]["num_channels"] == 1
    assert formats["inputs"]["image"]["spatial_shape"] == ["*", "*"]
    assert formats["outputs"]["pred"]["format"] == "segmentation"
    assert formats["outputs"]["pred"]["num_channels"] == 2


@pytest.mark.parametrize(
    ("family", "classes", "words", "form"),
    [
        ("CNN", 2, "classification of images", "classes"),
        ("CNN", 0, "regression of values from images", "classes"),
        ("FCN", 0, "regression, a value", "magnitude"),
        ("BBD", 3, "bounding boxes", "boxes"),
        ("cyclegan", 0, "translation", "magnitude"),
    ],
)
def test_families_have_tasks(
    tmp_path: Path, family: str, classes: int, words: str, form: str
) -> None:
    facts = card(bundle(tmp_path, family=family, classes=classes), WHO)
    assert words in facts["task"]["description"]
    assert monai_metadata(facts)["network_data_format"]["outputs"]["pred"]["format"] == form


def test_an_imported_model_says_that_little_is_known_of_it(tmp_path: Path) -> None:
    facts = card(bundle(tmp_path, split=False, data={}), Identity("m", 1, imported=True))
    assert facts["limitations"][-1].startswith("Imported: whether its")
    assert not any("validation" in sentence for sentence in facts["limitations"][1:])
    assert "| imported | 2026-01-02" in card_text(facts)
