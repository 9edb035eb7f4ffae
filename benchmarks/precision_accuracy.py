"""Question: does training in bfloat16 cost accuracy on real data?

The tissue example, 2D, whole as it stands, in float32 and in mixed bfloat16, with two seeds each:
the Dice coefficient of the slices kept for validation, as the mean of the last five epochs, which
is steadier than the last one.
"""

import json
import statistics
import tempfile
from pathlib import Path

from dlae_core.config import load_config
from dlae_core.events import EpochFinished
from dlae_core.precision import MIXED, SINGLE
from dlae_core.training import train
from examples.tissue.prepare import prepare

SEEDS = (1, 2)
LAST = 5
CONFIG = Path(__file__).parents[1] / "examples" / "tissue" / "config.json"


def main() -> None:
    """Trains, and prints both coefficients."""
    found: dict[str, list[float]] = {SINGLE: [], MIXED: []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare(folder)
        for precision, values in found.items():
            values += [_dice(folder, precision, seed) for seed in SEEDS]
    means = {name: statistics.fmean(values) for name, values in found.items()}
    print(
        json.dumps(
            {
                "benchmark": "precision_accuracy",
                **{name: [round(one, 4) for one in values] for name, values in found.items()},
                "difference": round(means[MIXED] - means[SINGLE], 4),
                "between_seeds": round(max(found[SINGLE]) - min(found[SINGLE]), 4),
            }
        )
    )


def _dice(folder: Path, precision: str, seed: int) -> float:
    sections = json.loads(CONFIG.read_text())
    for role in ("train_X", "train_y"):
        sections["paths"][role] = str(folder / f"{role}.h5")
    sections["training_configurations"]["precision"] = precision
    sections["augmentation"]["random_seed"] = seed
    values: list[float] = []

    def emit(event: object) -> None:
        if isinstance(event, EpochFinished):
            values.append(event.metrics["val_dice"])

    workspace = folder / f"{precision}-{seed}"
    train(load_config(json.dumps(sections)).config, workspace, emit, lambda: False)
    return statistics.fmean(values[-LAST:])


if __name__ == "__main__":
    main()
