"""Rules about the options of bounding-box detectors, and how many of each their hooks need."""

from collections.abc import Iterator, Sequence

from dlae.v1.config_pb2 import BbdOptions, Config
from dlae.v1.layers_pb2 import Numbers
from dlae_core.config.augmentation_rules import FLIPS, GEOMETRY
from dlae_core.config.connection_rules import hook_count
from dlae_core.config.wording import shown
from dlae_core.errors import Violation

PER_HOOK = "per predictor layer"
# Settings whose default does nothing, and that nothing reads for a detector.
IDLE_MONITORS = ("monitors.mse_switch", "monitors.mae_switch")
IDLE_VARIATIONS = tuple(
    f"augmentation.{key}" for key in (*GEOMETRY, *FLIPS, "brightness_range", "channel_shift_range")
)
CATEGORICAL = "preprocessing.categorical_switch"
_LARGEST_PAIR = 2


def items_per_hook(config: Config) -> Iterator[Violation]:
    """Lists with one item per hook have as many (X12)."""
    hooks, options = hook_count(config), config.bbd_options
    if config.config_file.model_signal != "BBD" or not hooks:
        return
    per_scale, per_ratios = options.scaling_type, options.aspect_ratios_type
    rows = (
        ("scales", len(options.scales), hooks + 1, per_scale == PER_HOOK),
        ("aspect_ratios", len(options.aspect_ratios), hooks, per_ratios == PER_HOOK),
        ("steps", len(options.steps), hooks, len(options.steps) > 0),
        ("offsets", len(options.offsets), hooks, len(options.offsets) > 0),
    )
    for key, got, expected, holds in rows:
        if holds and got != expected:
            noun = "one more than there are hooks" if key == "scales" else "one per hook"
            sentence = f"expected {expected} items, {noun}, got {got}"
            yield Violation(f"bbd_options.{key}", "WRONG_LENGTH", sentence)


def global_aspect_ratios(config: Config) -> Iterator[Violation]:
    """Global aspect ratios are one list for all hooks."""
    options = config.bbd_options
    one_list = options.aspect_ratios_type != PER_HOOK
    if config.config_file.model_signal == "BBD" and one_list and len(options.aspect_ratios) > 1:
        sentence = (
            "expected one list for all hooks because aspect_ratios_type is global, got "
            f"{len(options.aspect_ratios)} lists; '{PER_HOOK}' takes one per hook"
        )
        yield Violation("bbd_options.aspect_ratios", "WRONG_LENGTH", sentence)


def pairs(config: Config) -> Iterator[Violation]:
    """A step or an offset is one number, or one for the rows and one for the columns."""
    if config.config_file.model_signal != "BBD":
        return
    options = config.bbd_options
    rows: tuple[tuple[str, Sequence[Numbers]], ...] = (
        ("steps", options.steps),
        ("offsets", options.offsets),
    )
    for key, items in rows:
        for position, item in enumerate(items):
            if len(item.values) > _LARGEST_PAIR:
                sentence = f"expected a number or (rows, cols), got {shown(tuple(item.values))}"
                yield Violation(f"bbd_options.{key}[{position}]", "WRONG_LENGTH", sentence)


def idle_options(config: Config) -> Iterator[Violation]:
    """Warns of options that have no effect beside the others."""
    options = config.bbd_options
    if config.config_file.model_signal != "BBD":
        return
    if options.scaling_type != PER_HOOK and len(options.scales) > _LARGEST_PAIR:
        lowest = tuple(sorted(options.scales)[:_LARGEST_PAIR])
        sentence = f"only the smallest two, {lowest}, are used because scaling_type is global"
        yield Violation("bbd_options.scales", "NOT_USED", sentence)
    if options.two_boxes_for_ar1_switch and not _has_square_boxes(options):
        sentence = "has no effect because aspect_ratios holds no 1.0"
        yield Violation("bbd_options.two_boxes_for_AR1_switch", "NO_EFFECT", sentence)
    if options.negative_iou_limit > options.positive_iou_threshold:
        sentence = (
            f"has no effect because positive_iou_threshold ({options.positive_iou_threshold:g}) "
            "is lower"
        )
        yield Violation("bbd_options.negative_iou_limit", "NO_EFFECT", sentence)


def idle_settings(config: Config) -> Iterator[Violation]:
    """Warns of settings that do not act on detectors.

    Differs: DLAE 1.0 ignores the variations too, without a message (X8), and reports errors of
    targets and outputs that mean nothing.
    """
    if config.config_file.model_signal != "BBD":
        return
    because = "has no effect because model_signal is BBD"
    paths = [*IDLE_MONITORS, CATEGORICAL]
    hints = dict.fromkeys(paths, "")
    if config.augmentation.apply_augmentation_switch:
        hints |= dict.fromkeys(IDLE_VARIATIONS, "; detectors vary as augmentation.bbd_* say")
    for path, hint in hints.items():
        section, _, key = path.partition(".")
        if getattr(getattr(config, section), key):
            yield Violation(path, "NO_EFFECT", f"{because}{hint}")


def _has_square_boxes(options: BbdOptions) -> bool:
    return any(1.0 in item.values for item in options.aspect_ratios)
