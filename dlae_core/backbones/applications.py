"""Networks that Keras has: built by `keras.applications`, then named as ours."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import keras

from dlae_core.backbones.row import Build
from dlae_core.backbones.tracing import layers_between


def application(function: Callable[..., keras.Model]) -> Build:
    """Returns the builder around a function of `keras.applications`."""

    def build(image: Any, name: str, include_top: bool) -> Any:
        with keras.name_scope(name):
            model = function(include_top=include_top, weights=None, input_tensor=image)
        _rename(layers_between(image, model.output), name)
        return model.output

    return build


def _rename(layers: Iterable[keras.Layer], prefix: str) -> None:
    """Prefixes names; those that Keras numbered through the process count from 1 here."""
    counts: Counter[str] = Counter()
    for layer in layers:
        name = re.sub(r"_\d+$", "", layer.name)
        if name.replace("_", "") == type(layer).__name__.lower():
            counts[name] += 1
            layer.name = f"{prefix}_{name}_{counts[name]}"
        else:
            layer.name = f"{prefix}_{layer.name}"
