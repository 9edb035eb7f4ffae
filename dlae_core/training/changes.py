"""What differs between a training and the checkpoint that it goes on from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dlae_core.events import Warned
from dlae_core.training.course import Carried

# What a checkpoint of the middle of an epoch does not depend on.
_SINCE_THE_NEXT_STEP = ("learning_rate_schedule.", "optimizer.", "save_configurations.")
_OF_THE_RUN = tuple(
    f"training_configurations.{key}"
    for key in (
        *("hardware", "number_of_gpus", "early_stop_switch", "early_stop_patience", "epochs"),
        *("data_threads", "data_memory", "restore_best_switch", "recovery_period"),
        *("frozen_layers", "match_weights_by", "deterministic_switch", "precision"),
        *("jit_compile_switch", "steps_per_call"),
    )
)
# What changes the meaning of a loss.
_OF_THE_LOSS = ("loss_function.", "preprocessing.", "layers.", "paths.")
_OF_THE_VALIDATION = tuple(
    f"training_configurations.{key}"
    for key in ("validation_split", "folds", "fold", "split_group", "shuffle_data_switch")
)
# Who goes on from a checkpoint says so here.
_EXPECTED = ("config_file.type_signal",)
_LONGEST_VALUE = 60

Changes = Mapping[str, tuple[Any, Any]]


def changes_of(before: Mapping[str, Any], now: Mapping[str, Any]) -> Changes:
    """Returns what differs, by path: the value before and the value now.

    Args:
        before: What a checkpoint says of its training: `config` and `data`.
        now: The same of the training that goes on from it.
    """
    values = [{**_settings(one["config"]), **_files(one["data"])} for one in (before, now)]
    paths = sorted({path for side in values for path in side} - set(_EXPECTED))
    pairs = {path: (values[0].get(path), values[1].get(path)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def carried_over(changes: Changes, same_optimizer: bool) -> Carried:
    """Returns what of a checkpoint still means the same.

    Args:
        changes: What differs.
        same_optimizer: Whether the optimizer's moments fit.
    """
    paths = tuple(changes)
    within = all(path.startswith((*_SINCE_THE_NEXT_STEP, *_OF_THE_RUN)) for path in paths)
    return Carried(
        optimizer=same_optimizer and "optimizer.optimizer" not in changes,
        rate="learning_rate_schedule.learning_rate" not in changes,
        within_epoch=within,
        comparable=not any(path.startswith((*_OF_THE_LOSS, *_OF_THE_VALIDATION)) for path in paths),
        same_run=False,
    )


def told(changes: Changes) -> Iterator[Warned]:
    """Yields a warning per change."""
    for path, (before, now) in changes.items():
        if path.startswith("paths."):
            yield Warned("DATA_CHANGED", f"{path} is another file than that of the checkpoint")
        else:
            sentence = f"{path} was {_shown(before)} in the checkpoint and is {_shown(now)}"
            yield Warned("SETTING_CHANGED", sentence)


def _settings(text: str) -> dict[str, Any]:
    sections = json.loads(text)
    return {
        f"{section}.{key}": value
        for section, keys in sections.items()
        if section != "paths"
        for key, value in keys.items()
    }


def _files(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"paths.{role}": file["sha256"] for role, file in data.items()}


def _shown(value: Any) -> str:
    if value is None:
        return "not given"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else "another one"
