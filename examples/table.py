"""All examples, by name."""

from pathlib import Path

from examples.applications import metastases, organs, perfusion, seeds
from examples.coordinates import demo as coordinates
from examples.detection import demo as detection
from examples.digits import demo as digits
from examples.running import Example
from examples.synthesis import demo as synthesis
from examples.tissue import prepare as tissue

_TISSUE = Path(tissue.__file__).parent

_ROWS = (
    digits.EXAMPLE,
    coordinates.EXAMPLE,
    Example(
        name="tissue-2d",
        task="grey matter, white matter and fluid in slices (FCN)",
        config=_TISSUE / "config.json",
        prepare=tissue.prepare,
        measure="dice",
        wanted=0.85,
    ),
    Example(
        name="tissue-3d",
        task="grey matter, white matter and fluid in volumes (FCN)",
        config=_TISSUE / "config_3d.json",
        prepare=tissue.prepare_volumes,
        measure="dice",
        wanted=0.85,
    ),
    synthesis.PAIRED,
    synthesis.UNPAIRED,
    detection.EXAMPLE,
    seeds.CLASSIFIER,
    seeds.LOCALIZER,
    organs.EXAMPLE,
    perfusion.EXAMPLE,
    metastases.EXAMPLE,
)
EXAMPLES = {one.name: one for one in _ROWS}
"""The examples on real data, then the applications on phantoms."""
