"""Images made against images: errors, PSNR, SSIM.

Reference: Wang et al., Image quality assessment: from error visibility to structural similarity,
2004; SSIM as scikit-image computes it by default, with a window of 7 pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlae_core.evaluation.measures import Bootstrap, Float64, Key, measure
from dlae_core.evaluation.result import Case, Result, Sample, means_of_cases

_WINDOW = 7
_SMALL = (
    f"some images have a side shorter than {_WINDOW} pixels; their similarity uses a smaller window"
)


@dataclass
class Images:
    """Evaluates images.

    The samples of a case are one: errors are those of all their pixels, SSIM is the mean over
    samples.

    Attributes:
        data_range: Largest difference that intensities can have; None: that of the reference
            of each case.
    """

    data_range: float | None = None
    _cases: list[Case] = field(default_factory=list)
    _small: bool = False

    def add(self, samples: Sequence[Sample]) -> None:
        """Adds a case: samples whose prediction and reference are (*space, channels)."""
        pairs = [
            (np.asarray(one.predicted, np.float64), np.asarray(one.reference, np.float64))
            for one in samples
        ]
        pixels = sum(reference.size for _, reference in pairs)
        squares = sum(float(((one - other) ** 2).sum()) for one, other in pairs) / pixels
        absolute = sum(float(np.abs(one - other).sum()) for one, other in pairs) / pixels
        width = self._range([reference for _, reference in pairs])
        values = {
            Key("mae"): absolute,
            Key("rmse"): math.sqrt(squares),
            Key("psnr", "", "dB"): psnr(squares, width),
            Key("ssim"): float(np.mean([ssim(*pair, width) for pair in pairs])),
        }
        self._small |= any(min(one.shape[:-1]) < _WINDOW for one, _ in pairs)
        names = tuple(one.name for one in samples)
        self._cases.append(Case(names, values, len(self._cases), -math.sqrt(squares)))

    def result(self, bootstrap: Bootstrap) -> Result:
        """Returns what was found."""
        return Result(
            cases=tuple(self._cases),
            measures=measure([means_of_cases(self._cases)], len(self._cases), bootstrap),
            notes=(_SMALL,) if self._small else (),
        )

    def _range(self, references: Sequence[Float64]) -> float:
        if self.data_range is not None:
            return self.data_range
        return max(float(one.max()) for one in references) - min(
            float(one.min()) for one in references
        )


def psnr(mean_square: float, data_range: float) -> float:
    """Returns the peak signal-to-noise ratio in dB; infinite without error, NaN without range."""
    if not data_range:
        return math.nan
    return 10 * math.log10(data_range**2 / mean_square) if mean_square else math.inf


def ssim(predicted: Float64, reference: Float64, data_range: float) -> float:
    """Returns the structural similarity, the mean over channels; NaN without range.

    Args:
        predicted: (*space, channels).
        reference: (*space, channels).
        data_range: Largest difference that intensities can have.
    """
    shortest = min(reference.shape[:-1])
    if not data_range or shortest < 3:
        return math.nan
    structural_similarity: Any = _similarity()
    window = min(_WINDOW, shortest - (shortest + 1) % 2)
    return float(
        structural_similarity(
            predicted, reference, win_size=window, data_range=data_range, channel_axis=-1
        )
    )


def _similarity() -> Any:
    from skimage.metrics import structural_similarity  # noqa: PLC0415 - comes with an extra

    return structural_similarity
