"""What is made of a network's output: values in units, or labels, cleaned."""

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dlae_core.data.normalization import Preprocessing
from dlae_core.postprocessing.labels import labels_of
from dlae_core.prediction.options import Options

Numbers = NDArray[np.generic]
Float32 = NDArray[np.float32]


class Model(Protocol):
    """What the output is of."""

    @property
    def outputs(self) -> str:
        """`classes`, `values` or `boxes`."""

    @property
    def per_pixel(self) -> bool:
        """Whether outputs have the space of the images."""

    @property
    def preprocessing(self) -> Preprocessing:
        """What happened to images and annotations."""


@dataclass(frozen=True)
class Finishing:
    """What is made of outputs.

    Attributes:
        model: What they are of.
        options: What was asked for.
        labels: Whether labels are.
    """

    model: Model
    options: Options
    labels: bool

    @property
    def in_units(self) -> bool:
        """Whether values are brought back to the units of the annotations."""
        known = self.model.preprocessing.annotations.has_inverse
        return self.options.units and known and self.model.outputs == "values"

    @property
    def cleans(self) -> bool:
        """Whether labels are cleaned."""
        wanted = self.options.largest or self.options.fill
        return self.labels and self.model.per_pixel and wanted

    def finished(self, output: Float32) -> Numbers:
        """Returns labels or values of any part of the output, (..., channels)."""
        if self.labels:
            return labels_of(output, self.options.threshold)
        return self.model.preprocessing.values(output) if self.in_units else output

    def cleaned(self, found: Numbers) -> Numbers:
        """Returns whole images, (batch, ...), cleaned where asked for; may change them in place."""
        if not self.cleans:
            return found
        # SciPy takes a while to load.
        components = import_module("dlae_core.postprocessing.components")
        for number in range(len(found)):
            if self.options.largest:
                found[number] = components.largest_components(found[number])
            if self.options.fill:
                found[number] = components.filled_holes(found[number])
        return found

    def one(self, output: Float32) -> Numbers:
        """Returns what is made of the whole output of one image, (*space, channels)."""
        found: Numbers = self.cleaned(self.finished(output)[np.newaxis])[0]
        return found
