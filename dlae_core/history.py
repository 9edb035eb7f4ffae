"""The history of a training: one CSV line per epoch, whole after every epoch."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from dlae_core.bundle import write_text


class History:
    """Writes `epoch`, the training metrics, the validation metrics, then rate and time.

    `epoch` counts from 0 and metrics are sorted by name within their group, as in DLAE 1.0.

    Differs: the last two columns, `learning_rate` and `seconds`, are added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, float]] = []

    def append(self, metrics: Mapping[str, float], learning_rate: float, seconds: float) -> None:
        """Adds an epoch and writes the file anew.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        ordered = sorted(metrics, key=lambda name: (name.startswith("val_"), name))
        self._rows.append(
            {
                "epoch": len(self._rows),
                **{name: metrics[name] for name in ordered},
                "learning_rate": learning_rate,
                "seconds": round(seconds, 3),
            }
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, self._rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, text.getvalue())
