"""The random chain of detectors: images with boxes are translated, zoomed and flipped."""

from dlae_core.data.transforms.detection.chain import BoxedDraw, DetectionChain

__all__ = ["BoxedDraw", "DetectionChain"]
