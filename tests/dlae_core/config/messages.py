"""Random messages that the schema allows, for Hypothesis."""

from typing import Any

from google.protobuf.message import Message
from hypothesis import strategies as st

from dlae.v1.config_pb2 import Config
from dlae.v1.layers_pb2 import Layer
from dlae_core.config.layer_text import fill_layer
from dlae_core.config.schema import Setting, assign, layer_types, sections, settings_of

FREE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(str.strip)


def layers() -> st.SearchStrategy[Layer]:
    """Returns complete layers of all types and ranks."""
    forms = [(field, rank) for field, kind in layer_types().items() for rank in kind.ranks or (0,)]
    return st.sampled_from(forms).flatmap(lambda form: _layer(*form))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Returns configurations of which any part may be left out."""
    config = Config()
    for row in sections().values():
        if draw(st.booleans()):
            section = getattr(config, row.name)
            section.SetInParent()
            _fill(draw, section, 0)
    return config


@st.composite
def _layer(draw: st.DrawFn, field: str, rank: int) -> Layer:
    layer = Layer(rank=rank)
    getattr(layer, field).SetInParent()
    _fill(draw, getattr(layer, field), rank)
    fill_layer(layer)
    return layer


def _fill(draw: st.DrawFn, message: Message, rank: int) -> None:
    for row in settings_of(message).values():
        if not (row.options.required or row.options.is_name or draw(st.booleans())):
            continue
        if row.kind == "parts":
            getattr(message, row.name).SetInParent()
            _fill(draw, getattr(message, row.name), 0)
        elif row.kind == "parts_list":
            for _ in range(draw(st.integers(0, row.options.max_items))):
                _fill(draw, getattr(message, row.name).add(), 0)
        elif row.kind == "layer":
            getattr(message, row.name).extend(draw(st.lists(layers(), max_size=3)))
        else:
            assign(message, row, draw(_values(row, rank)))


def _values(row: Setting, rank: int) -> st.SearchStrategy[Any]:
    one = _numbers(row) if row.kind == "numbers" else _scalars(row)
    if not row.repeated:
        return one
    if row.options.pairs:
        pair = st.lists(st.integers(0, 9), min_size=2, max_size=2)
        return st.lists(pair, min_size=rank, max_size=rank)
    fewest = rank if row.options.per_axis else row.options.min_items or 1
    most = fewest if row.options.per_axis else row.options.max_items or fewest + 2
    return st.lists(one, min_size=fewest, max_size=most)


def _numbers(row: Setting) -> st.SearchStrategy[Any]:
    return st.lists(_floats(row), min_size=1, max_size=3)


def _scalars(row: Setting) -> st.SearchStrategy[Any]:
    if row.kind == "bool":
        return st.booleans()
    if row.kind == "text":
        return st.sampled_from(row.choices) if row.choices else FREE_TEXT
    if row.kind == "int":
        return st.integers(int(row.minimum or 0), int(row.maximum or 0))
    return _floats(row)


def _floats(row: Setting) -> st.SearchStrategy[float]:
    options = row.options
    above = options.above if options.HasField("above") else None
    below = options.below if options.HasField("below") else None
    return st.floats(
        min_value=row.minimum if above is None else above,
        max_value=row.maximum if below is None else below,
        exclude_min=above is not None,
        exclude_max=below is not None,
        allow_nan=False,
        allow_infinity=False,
    )
