"""What to make a data set of."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from dlae_core.data.packing.finding import Way
from dlae_core.data.packing.identity import Grouping
from dlae_core.errors import UnusableDataset

_SALT_BYTES = 16


@dataclass(frozen=True)
class Recipe:
    """What to make a data set of. At most one kind of annotation is given.

    Attributes:
        sources: Files and folders with images.
        masks: Folder or file with label maps of the images' names.
        targets: Folder or file with images or values to be predicted, of the images' names.
        suffix: What names of masks and targets end in that images' names do not.
        classes: CSV with the columns name and class.
        coordinates: CSV with the column name and columns of numbers.
        boxes: CSV with the columns name, class, xmin, ymin, xmax, ymax.
        boxes_from_masks: Whether the annotations are boxes around the regions of the masks.
        smallest_px: Regions of fewer pixels get no box.
        relabel: `255=1,128=2`, or `auto`: the numbers found in their order; empty: none.
        slices: Whether volumes are cut into planes.
        slice_axis: Across which axis.
        stacked: Whether the first axis of NumPy arrays numbers samples.
        channels: Whether a fourth axis of NIfTI files holds channels.
        group_from: `folder`, a regular expression, or empty; see `Grouping`.
        salt: What pseudonyms are made with; the same salt makes the same pseudonyms.
    """

    sources: tuple[Path, ...]
    masks: Path | None = None
    targets: Path | None = None
    suffix: str = ""
    classes: Path | None = None
    coordinates: Path | None = None
    boxes: Path | None = None
    boxes_from_masks: bool = False
    smallest_px: int = 1
    relabel: str = ""
    slices: bool = False
    slice_axis: int = 2
    stacked: bool = False
    channels: bool = False
    group_from: str = ""
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(_SALT_BYTES), repr=False)

    @property
    def kind(self) -> str:
        """Name of the attribute that says what the annotations are; empty without any."""
        kinds = ("masks", "targets", "classes", "coordinates", "boxes")
        return next((kind for kind in kinds if getattr(self, kind) is not None), "")

    @property
    def grouping(self) -> Grouping:
        """How samples are told to belong to the same patient."""
        return Grouping(self.group_from, self.slices)

    def way(self, as_labels: bool = False) -> Way:
        """Returns how files are read."""
        return Way(as_labels, self.stacked, self.channels)

    def check(self) -> None:
        """Checks what can be checked before anything is read.

        Raises:
            UnusableDataset: Settings do not go together.
        """
        kinds = ("masks", "targets", "classes", "coordinates", "boxes")
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        places = self.slices and self.kind in ("coordinates", "boxes")
        rules = (
            (len(given) > 1, f"expected one kind of annotation, got {' and '.join(given)}"),
            (self.boxes_from_masks and not self.masks, "expected masks to find boxes in, got none"),
            (bool(self.relabel) and not self.masks, "expected masks to relabel, got none"),
            (places, f"expected masks or classes for slices of volumes, got {self.kind}"),
        )
        problems = [message for wrong, message in rules if wrong]
        if problems:
            raise UnusableDataset(problems)
        self.grouping.check()
