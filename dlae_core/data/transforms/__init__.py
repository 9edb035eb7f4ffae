"""Random transforms of a training sample: first draw, then apply.

A transform draws its parameters from a generator and applies them to the image and to an
annotation with the image's space alike, so that one draw can be recorded, repeated and tested.
Geometric transforms draw a matrix each; the product of all is sampled once.
"""

from dlae_core.data.transforms.boxes import move_boxes
from dlae_core.data.transforms.geometry import Geometry
from dlae_core.data.transforms.points import move_points
from dlae_core.data.transforms.variation import Draw, Variation

__all__ = ["Draw", "Geometry", "Variation", "move_boxes", "move_points"]
