"""Drawings of networks: where layers stand, and what is in the files."""

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dlae.v1.training_pb2 import GraphSummary, LayerSummary
from dlae_client.errors import LocalFileError
from dlae_client.graph_drawing import FILLS, draw
from dlae_client.graph_layout import kind_of, placed_layers, skips_of
from dlae_core.layers.language import layer_names

Rows = list[tuple[str, tuple[int, ...], tuple[int, ...]]]

UNET: Rows = [
    ("Input", (16, 16, 1), ()),
    ("Convolution 2D", (16, 16, 4), (0,)),
    ("Outer skip source", (16, 16, 4), (1,)),
    ("Max pooling 2D", (8, 8, 4), (2,)),
    ("Outer skip source", (8, 8, 4), (3,)),
    ("Convolution 2D", (4, 4, 8), (4,)),
    ("Resize convolution 2D", (8, 8, 4), (5,)),
    ("Outer skip target", (8, 8, 8), (6, 4)),
    ("Resize convolution 2D", (16, 16, 4), (7,)),
    ("Outer skip target", (16, 16, 8), (8, 2)),
    ("Activation", (16, 16, 8), (9,)),
]


def _graph(rows: Rows, name: str = "model") -> GraphSummary:
    layers = [
        LayerSummary(item=item, type=kind, output_shape=shape, parameters=7, inputs=inputs)
        for item, (kind, shape, inputs) in enumerate(rows)
    ]
    return GraphSummary(name=name, parameters=1234567, trainable_parameters=1200, layers=layers)


def _columns(rows: Rows) -> list[int]:
    return [placed.column for placed in placed_layers(_graph(rows))]


def test_a_layer_stands_as_far_right_as_its_resolution_is_low() -> None:
    assert _columns(UNET) == [0, 0, 0, 1, 1, 2, 1, 1, 0, 0, 0]


def test_vectors_and_rows_of_boxes_stand_last() -> None:
    flat: Rows = [
        ("Input", (9, 9, 9, 1), ()),
        ("Max pooling 3D", (4, 4, 4, 1), (0,)),
        ("Flatten", (64,), (1,)),
        ("Detections", (5000, 14), (2,)),
    ]
    assert _columns(flat) == [0, 1, 2, 2]


def test_levels_that_are_skipped_leave_no_gap() -> None:
    steep: Rows = [("Input", (64, 64, 1), ()), ("Convolution 2D", (2, 2, 9), (0,))]
    assert _columns(steep) == [0, 1]


def test_outer_skips_go_around_the_inner_ones() -> None:
    skips = skips_of(_graph(UNET))
    assert [(skip.source, skip.target, skip.reach) for skip in skips] == [(4, 7, 0), (2, 9, 1)]
    assert not any(skip.inner or skip.right for skip in skips)


def test_what_joins_many_layers_is_connected_on_the_right() -> None:
    heads: Rows = [("Input", (8, 8, 1), ()), ("VGG16", (4, 4, 8), (0,))]
    heads += [("Detection head", (9, 14), (1,))] * 3
    heads += [("Detections", (27, 14), (2, 3, 4))]
    found = {(skip.source, skip.target): skip.right for skip in skips_of(_graph(heads))}
    assert found == {(1, 3): False, (1, 4): False, (2, 5): True, (3, 5): True}


def test_every_layer_of_the_language_has_a_kind_and_every_kind_a_colour() -> None:
    kinds = {name: kind_of(name) for name in layer_names()}
    assert set(kinds.values()) <= set(FILLS)
    backbones = {name for name, kind in kinds.items() if kind == "backbone"}
    assert len(backbones) == 18
    assert "ResNet50V2" in backbones
    assert kinds["Resize convolution 3D"] == "upsampling"
    assert kinds["Separable convolution 2D"] == "convolution"
    assert kinds["Batch normalization"] == "normalization"
    assert kinds["Hook connection target"] == "skip or hook"
    assert kinds["Leaky reLU"] == "activation"


def test_an_svg_holds_names_shapes_totals_and_kinds_as_text(tmp_path: Path) -> None:
    path = tmp_path / "gan.svg"
    rows: Rows = [("Input", (16, 16, 1), ()), ("Dense", (16, 16, 3), (0,))]
    draw([_graph(UNET, "generator"), _graph(rows, "discriminator")], "study: 9 weights", path)
    namespace = "{http://www.w3.org/2000/svg}text"
    texts = [element.text for element in ElementTree.parse(path).iter(namespace)]
    for name, _, _ in UNET:
        assert name in texts
    assert texts.count("Convolution 2D") == 2
    for text in ("generator", "discriminator", "study: 9 weights", "16 x 16 x 4", "upsampling"):
        assert text in texts
    assert "1,234,567 weights, 1,200 of them trainable" in texts


def test_the_same_networks_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw([_graph(UNET)], "unet", tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_png_is_as_tall_as_its_layers_are_many(tmp_path: Path) -> None:
    heights = []
    for count in (10, 40):
        rows: Rows = [("Input", (8, 8, 1), ())]
        rows += [("Activation", (8, 8, 1), (item,)) for item in range(count)]
        draw([_graph(rows)], "chain", tmp_path / "chain.png")
        data = (tmp_path / "chain.png").read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        heights.append(struct.unpack(">I", data[20:24])[0])
    assert heights[1] > 2.5 * heights[0]


def test_a_drawing_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    for path in (tmp_path / "taken.png", tmp_path / "nowhere" / "graph.png"):
        with pytest.raises(LocalFileError, match="cannot write"):
            draw([_graph(UNET)], "unet", path)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]
