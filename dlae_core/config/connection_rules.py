"""Rules about skips and hooks of a list: sources and targets that belong together."""

from collections.abc import Iterator
from dataclasses import dataclass

from dlae.v1.config_pb2 import Config
from dlae_core.config.layer_lists import (
    BACKBONE_LEVELS,
    SERIAL,
    LayerList,
    layer_list,
    lists_of_model,
    written_lists,
)
from dlae_core.errors import Violation

_SPANS = {"outer_skip": "Outer skip", "inner_skip": "Inner skip"}


@dataclass(frozen=True)
class _Merge:
    """A skip target, and the types of the sources that are open there; empty for a backbone's."""

    item: int
    skip_type: str
    sources: tuple[str, ...]


def sources_of_skips(config: Config) -> Iterator[Violation]:
    """Every skip target has an open source."""
    for layers in written_lists(config):
        for span, name in _SPANS.items():
            for merge in _merges(layers, span):
                if not merge.sources:
                    sentence = f"expected an {name} source before this {name} target, got none left"
                    yield Violation(layers.place(merge.item), "SKIP_WITHOUT_SOURCE", sentence)


def types_of_skips(config: Config) -> Iterator[Violation]:
    """Warns of sources and targets that name different merges."""
    for layers in written_lists(config):
        for span in _SPANS:
            for merge in _merges(layers, span):
                if merge.sources and merge.sources[-1] not in ("", merge.skip_type):
                    sentence = (
                        f"the target's {merge.skip_type} is used; its source says "
                        f"{merge.sources[-1]} (also where the source leaves it out)"
                    )
                    path = f"{layers.place(merge.item)}.skip_type"
                    yield Violation(path, "SKIP_TYPES_DIFFER", sentence)


def nested_inner_skips(config: Config) -> Iterator[Violation]:
    """Warns where DLAE 1.0 merged the oldest inner source and dropped the newest (G1)."""
    for layers in written_lists(config):
        for merge in _merges(layers, "inner_skip"):
            if len(merge.sources) > 1:
                sentence = (
                    f"{len(merge.sources)} sources are open; the last one is merged, DLAE 1.0 "
                    "merged the first and dropped the last"
                )
                yield Violation(layers.place(merge.item), "NESTED_INNER_SKIPS", sentence)
                break


def dropped_sources(config: Config) -> Iterator[Violation]:
    """Warns of open outer skips and hooks that the levels of a backbone replace."""
    for layers in written_lists(config):
        open_skips = open_hooks = 0
        for item, kind in enumerate(layers.kinds):
            open_skips += {"outer_skip_source": 1, "outer_skip_target": -1}.get(kind or "", 0)
            open_hooks += kind == "hook_connection_source"
            if kind != "backbone":
                continue
            settings = layers.settings(item)
            rows = (("skips", settings.skips, open_skips), ("hooks", settings.hooks, open_hooks))
            for key, replaces, count in rows:
                if replaces and count > 0:
                    sentence = f"its levels replace the {count} {key} before, which have no effect"
                    yield Violation(f"{layers.place(item)}.{key}", "SOURCES_REPLACED", sentence)


def hooks_of_detector(config: Config) -> Iterator[Violation]:
    """A detector has at least one hook, on feature maps."""
    if config.config_file.model_signal == "BBD" and hook_count(config) == 0:
        sentence = (
            "expected at least one Hook connection source, or a network with hooks True, because "
            "model_signal is BBD, got none"
        )
        yield Violation(f"layers.{SERIAL}", "NO_HOOKS", sentence)


def idle_hooks(config: Config) -> Iterator[Violation]:
    """Warns of hooks that no detector reads, and of hook targets, which nothing reads (L11)."""
    detects = config.config_file.model_signal == "BBD"
    for layers in lists_of_model(config):
        for item, kind in enumerate(layers.kinds):
            if kind == "hook_connection_target":
                sentence = "has no effect; only sources have one"
                yield Violation(layers.place(item), "NO_EFFECT", sentence)
            elif not detects and kind == "hook_connection_source":
                sentence = "has no effect because model_signal is not BBD"
                yield Violation(layers.place(item), "NO_EFFECT", sentence)
            elif not detects and kind == "backbone" and layers.settings(item).hooks:
                sentence = "has no effect because model_signal is not BBD"
                yield Violation(f"{layers.place(item)}.hooks", "NO_EFFECT", sentence)


def layers_after_hooks(config: Config) -> Iterator[Violation]:
    """Warns of a detector's layers that no hook depends on."""
    layers = layer_list(config, SERIAL)
    if config.config_file.model_signal != "BBD" or None in layers.kinds:
        return
    last = max((item for item, _ in _hooks(layers)), default=len(layers.kinds))
    for item, kind in enumerate(layers.kinds):
        if item > last and kind != "hook_connection_target":
            sentence = "has no effect, and neither has what follows: the last hook is before it"
            yield Violation(layers.place(item), "NO_EFFECT", sentence)
            return


def hook_count(config: Config) -> int | None:
    """Returns the number of tensors that a detector's heads read; None where it is not known."""
    layers = layer_list(config, SERIAL)
    if not layers.layers or None in layers.kinds:
        return None
    count = 0
    for _, levels in _hooks(layers):
        count = levels or count + 1
    return count


def _hooks(layers: LayerList) -> Iterator[tuple[int, int]]:
    """Yields the items that hook, and the number of levels with which they replace all others."""
    for item, kind in enumerate(layers.kinds):
        if kind == "hook_connection_source":
            yield item, 0
        elif kind == "backbone" and layers.settings(item).hooks:
            yield item, BACKBONE_LEVELS


def _merges(layers: LayerList, span: str) -> Iterator[_Merge]:
    """Yields the targets of one span up to the first layer that could not be read."""
    sources: tuple[str, ...] = ()
    for item, kind in enumerate(layers.kinds):
        if kind is None:
            return
        if kind == f"{span}_source":
            sources += (layers.settings(item).skip_type,)
        elif kind == f"{span}_target":
            yield _Merge(item, layers.settings(item).skip_type, sources)
            sources = sources[:-1]
        elif kind == "backbone" and span == "outer_skip" and layers.settings(item).skips:
            sources = ("",) * BACKBONE_LEVELS
