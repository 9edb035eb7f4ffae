"""The history of a training: one CSV line per epoch, whole after every epoch."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlae_core.bundle import write_text

Row = dict[str, float]


class History:
    """Writes `epoch`, the training metrics, the validation metrics, then the learning rate.

    `epoch` counts from 0 and metrics are sorted by name within their group, as in DLAE 1.0. There
    is no time in it: equal trainings have equal histories. A metric that only some of the epochs
    have, because training went on with other settings, is left empty in the others.

    Differs: the last column, `learning_rate`, is added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []

    @property
    def rows(self) -> Sequence[Row]:
        """The lines so far, by column."""
        return tuple(self._rows)

    def append(self, metrics: Mapping[str, float], learning_rate: float) -> None:
        """Adds an epoch and writes the file anew.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        row = {"epoch": len(self._rows), **metrics, "learning_rate": learning_rate}
        self.restore([*self._rows, row])

    def restore(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Goes on from earlier lines, and writes the file anew.

        Raises:
            StorageFailed: The disk is full or cannot be written.
        """
        self._rows = [dict(row) for row in rows]
        if not self._rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, text.getvalue())

    def _columns(self) -> list[str]:
        names = {name for row in self._rows for name in row} - {"epoch", "learning_rate"}
        return ["epoch", *sorted(names, key=_place), "learning_rate"]


def _place(name: str) -> tuple[bool, str]:
    return name.startswith("val_"), name
