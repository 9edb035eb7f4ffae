"""All builders: the field of `Layer.type` to the function that makes the Keras layers.

A builder takes the layer's message and its place, and returns the Keras layers to apply one after
the other. Input, skips, hooks and backbones are not here: they concern the graph, not one tensor.
"""

from dlae_core.layers.builder import Builder
from dlae_core.layers.convolution import CONVOLUTION_BUILDERS
from dlae_core.layers.elementwise import ELEMENTWISE_BUILDERS
from dlae_core.layers.pooling import POOLING_BUILDERS
from dlae_core.layers.reshaping import RESHAPING_BUILDERS
from dlae_core.layers.separable import SEPARABLE_BUILDERS

BUILDERS: dict[str, Builder] = {
    **CONVOLUTION_BUILDERS,
    **ELEMENTWISE_BUILDERS,
    **POOLING_BUILDERS,
    **RESHAPING_BUILDERS,
    **SEPARABLE_BUILDERS,
}
