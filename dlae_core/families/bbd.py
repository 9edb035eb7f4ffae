"""Bounding-box detectors: a network with hooks, and a head on each.

Reference: Liu et al., SSD: single shot multibox detector, 2016.
"""

from collections.abc import Sequence

import keras

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import SERIAL
from dlae_core.data.inspection import Expectation
from dlae_core.data.targets import TargetKind
from dlae_core.detection.anchors import hooks_beyond_image
from dlae_core.errors import InvalidConfig, Violation
from dlae_core.families.base import Family
from dlae_core.families.heads import Head, build_heads, hooked_maps, join_heads
from dlae_core.graph import LayerSummary, Network, Walk, walk_layers

_LAYER_LIST = f"layers.{SERIAL}"
_MAP_AXES = 4


class Bbd(Family):
    """One network, named `model`, whose output has one row per anchor.

    The list's own output is not used. Differs: layers that do not fit are errors (G5).
    """

    name = "BBD"
    entry = SERIAL
    per_pixel = False

    def target_kind(self, config: Config) -> TargetKind:
        """Returns that rows of numbers are compared, one per anchor."""
        return "values"

    def classes(self, config: Config, network: Network) -> int:
        """Returns the kinds of object, background not counted."""
        return config.bbd_options.number_classes

    def expectation(self, config: Config, network: Network) -> Expectation:
        """Returns that each annotation holds boxes."""
        return Expectation(self.image_shape(config), (), self.classes(config, network), boxes=True)

    def networks(self, config: Config) -> tuple[Network, ...]:
        """Builds the detector.

        Raises:
            InvalidConfig: A layer does not fit.
        """
        walk = walk_layers(*self._layers(config, SERIAL))
        _check_hooks(walk)
        image = walk.inputs[0]
        tensors = [tensor for _, tensor in walk.hooks]
        heads = build_heads(tensors, config.bbd_options, tuple(image.shape[1:3]))
        output = join_heads(heads)
        model = walk.model(output, "model")
        _name_operations(model)
        return (Network(model, (*walk.items, *_summaries(walk, heads, output))),)

    def warnings(self, config: Config, networks: Sequence[Network]) -> list[Violation]:
        """Returns the steps with which anchors lie outside the image (C24)."""
        model, options = networks[0].model, config.bbd_options
        maps = hooked_maps(model)
        return [
            Violation(
                f"bbd_options.{'steps' if options.steps else 'offsets'}[{hook}]",
                "ANCHORS_OUTSIDE",
                f"the feature map has {maps[hook][0]} x {maps[hook][1]} cells, so that some "
                "anchors lie outside the image; steps None places them evenly",
            )
            for hook in hooks_beyond_image(options, model.input_shape[1:3], maps)
        ]


def _name_operations(model: keras.Model) -> None:
    """Numbers what is no layer: Keras counts on through the whole process, and files hold names."""
    unnamed = (one for one in model.operations if not isinstance(one, keras.Layer))
    for number, operation in enumerate(unnamed):
        operation.name = f"operation{number:03d}"


def _check_hooks(walk: Walk) -> None:
    found = [
        Violation(
            f"{_LAYER_LIST}[{item}]",
            "RANK_MISMATCH",
            "expected a feature map (rows, cols, channels) to predict from, got the shape "
            f"{tuple(tensor.shape[1:])}",
        )
        for item, tensor in walk.hooks
        if len(tensor.shape) != _MAP_AXES
    ]
    if not walk.hooks:
        message = "expected at least one Hook connection source, got none"
        found.append(Violation(_LAYER_LIST, "NO_HOOKS", message))
    if found:
        raise InvalidConfig(found)


def _summaries(walk: Walk, heads: Sequence[Head], output: keras.KerasTensor) -> list[LayerSummary]:
    """Returns what comes after the list: a row per head, and the one that joins them."""
    first = len(walk.items)
    width = output.shape[-1]
    rows = [
        LayerSummary(
            item=first + number,
            type="Detection head",
            output_shape=(head.classes.shape[1], width),
            parameters=head.parameters,
            inputs=(item,),
        )
        for number, (head, (item, _)) in enumerate(zip(heads, walk.hooks, strict=True))
    ]
    last = first + len(rows)
    inputs = tuple(range(first, last))
    return [*rows, LayerSummary(last, "Detections", tuple(output.shape[1:]), 0, inputs)]
