"""How to predict: what is kept with the model, and what a request changes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlae.v1.config_pb2 import Config
from dlae.v1.prediction_pb2 import FlipAxes, PredictOptions
from dlae_core.config import read_config, resolve_config
from dlae_core.errors import InvalidOptions
from dlae_core.prediction.options import Options, changed, options_of
from dlae_core.tiling import Tiling

KEPT = {
    "labels_switch": True,
    "threshold": 0.25,
    "largest_component_switch": True,
    "fill_holes_switch": True,
    "tile_overlap": 0.25,
    "tile_blend": "average",
    "flips": [0, 1],
    "images_at_once": 2,
    "resize_switch": True,
    "annotation_units_switch": False,
}


def _kept(**values: Any) -> Options:
    return options_of(resolve_config(read_config(json.dumps({"prediction": values})).config))


def test_settings_of_the_model_are_its_options() -> None:
    expected = Options(
        Tiling(0.25, "average", 2), (0, 1), True, 0.25, True, True, 2, True, units=False
    )
    assert _kept(**KEPT) == expected


def test_a_model_without_settings_predicts_as_the_defaults_say() -> None:
    assert options_of(resolve_config(Config())) == _kept() == Options()


def test_what_a_request_leaves_out_is_the_models() -> None:
    assert changed(_kept(**KEPT), PredictOptions()) == _kept(**KEPT)


@pytest.mark.parametrize(
    ("asked", "name", "value"),
    [
        (PredictOptions(tile_overlap=0), "tiling", Tiling(0, "average", 2)),
        (PredictOptions(tile_blend="gaussian"), "tiling", Tiling(0.25, "gaussian", 2)),
        (PredictOptions(flips=FlipAxes()), "flips", ()),
        (PredictOptions(flips=FlipAxes(axes=[2])), "flips", (2,)),
        (PredictOptions(threshold=0), "threshold", 0),
        (PredictOptions(most_probable=True), "threshold", None),
        (PredictOptions(most_probable=False), "threshold", 0.25),
        (PredictOptions(largest_component_switch=False), "largest", False),
        (PredictOptions(fill_holes_switch=False), "fill", False),
        (PredictOptions(images_at_once=7), "together", 7),
        (PredictOptions(resize_switch=False), "resize", False),
        (PredictOptions(annotation_units_switch=True), "units", True),
        (PredictOptions(confidence_threshold=0.5), "confidence", 0.5),
    ],
)
def test_what_a_request_sets_takes_the_place_of_the_models(
    asked: PredictOptions, name: str, value: object
) -> None:
    assert getattr(changed(_kept(**KEPT), asked), name) == value


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (PredictOptions(tile_overlap=0.95), "tile_overlap: expected a number"),
        (PredictOptions(tile_overlap=float("nan")), "finite"),
        (PredictOptions(tile_blend="linear"), "gaussian, average"),
        (PredictOptions(threshold=1.5), "threshold"),
        (PredictOptions(images_at_once=0), "images_at_once"),
        (PredictOptions(flips=FlipAxes(axes=[3])), "flips"),
        (PredictOptions(flips=FlipAxes(axes=[0] * 9)), "at most 3 items"),
        (PredictOptions(confidence_threshold=1), "confidence_threshold"),
    ],
)
def test_values_out_of_range_are_refused_by_name(asked: PredictOptions, message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        changed(Options(), asked)


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        PredictOptions,
        tile_overlap=st.none() | st.floats(),
        tile_blend=st.none() | st.text(max_size=9) | st.just("average"),
        flips=st.none() | st.builds(FlipAxes, axes=st.lists(st.integers(-4, 4), max_size=5)),
        threshold=st.none() | st.floats(),
        images_at_once=st.none() | st.integers(-(2**31), 2**31 - 1),
        confidence_threshold=st.none() | st.floats(),
    )
)
def test_any_options_are_taken_or_refused(asked: PredictOptions) -> None:
    again = PredictOptions.FromString(asked.SerializeToString())
    try:
        found = changed(Options(), again)
    except InvalidOptions as error:
        str(error).encode()
        return
    assert 0 <= found.tiling.overlap <= 0.9
    assert found.tiling.tiles >= 1
    assert found.confidence is None or 0 <= found.confidence < 1
