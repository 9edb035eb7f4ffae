"""Random transforms of a training sample: first draw, then apply.

A transform draws its parameters from a generator and applies them to the image and to an
annotation with the image's space alike, so that one draw can be recorded, repeated and tested.
"""

from dlae_core.data.transforms.flip import Flip

__all__ = ["Flip"]
