from dlae.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Layer(_message.Message):
    __slots__ = ("rank", "input", "reshape", "flatten", "dense", "activation", "leaky_relu", "batch_normalization", "dropout", "spatial_dropout", "convolution", "resize_convolution", "transpose_convolution", "upsample", "max_pooling", "average_pooling", "global_max_pooling", "global_average_pooling", "outer_skip_source", "outer_skip_target", "permute", "gaussian_dropout", "alpha_dropout", "gaussian_noise", "separable_convolution", "depthwise_separable_convolution", "zero_padding", "cropping", "elu", "thresholded_relu", "prelu", "inner_skip_source", "inner_skip_target", "hook_connection_source", "hook_connection_target", "backbone")
    RANK_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RESHAPE_FIELD_NUMBER: _ClassVar[int]
    FLATTEN_FIELD_NUMBER: _ClassVar[int]
    DENSE_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    LEAKY_RELU_FIELD_NUMBER: _ClassVar[int]
    BATCH_NORMALIZATION_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    SPATIAL_DROPOUT_FIELD_NUMBER: _ClassVar[int]
    CONVOLUTION_FIELD_NUMBER: _ClassVar[int]
    RESIZE_CONVOLUTION_FIELD_NUMBER: _ClassVar[int]
    TRANSPOSE_CONVOLUTION_FIELD_NUMBER: _ClassVar[int]
    UPSAMPLE_FIELD_NUMBER: _ClassVar[int]
    MAX_POOLING_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_POOLING_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_MAX_POOLING_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_AVERAGE_POOLING_FIELD_NUMBER: _ClassVar[int]
    OUTER_SKIP_SOURCE_FIELD_NUMBER: _ClassVar[int]
    OUTER_SKIP_TARGET_FIELD_NUMBER: _ClassVar[int]
    PERMUTE_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_DROPOUT_FIELD_NUMBER: _ClassVar[int]
    ALPHA_DROPOUT_FIELD_NUMBER: _ClassVar[int]
    GAUSSIAN_NOISE_FIELD_NUMBER: _ClassVar[int]
    SEPARABLE_CONVOLUTION_FIELD_NUMBER: _ClassVar[int]
    DEPTHWISE_SEPARABLE_CONVOLUTION_FIELD_NUMBER: _ClassVar[int]
    ZERO_PADDING_FIELD_NUMBER: _ClassVar[int]
    CROPPING_FIELD_NUMBER: _ClassVar[int]
    ELU_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDED_RELU_FIELD_NUMBER: _ClassVar[int]
    PRELU_FIELD_NUMBER: _ClassVar[int]
    INNER_SKIP_SOURCE_FIELD_NUMBER: _ClassVar[int]
    INNER_SKIP_TARGET_FIELD_NUMBER: _ClassVar[int]
    HOOK_CONNECTION_SOURCE_FIELD_NUMBER: _ClassVar[int]
    HOOK_CONNECTION_TARGET_FIELD_NUMBER: _ClassVar[int]
    BACKBONE_FIELD_NUMBER: _ClassVar[int]
    rank: int
    input: Input
    reshape: Reshape
    flatten: Flatten
    dense: Dense
    activation: Activation
    leaky_relu: LeakyRelu
    batch_normalization: BatchNormalization
    dropout: Dropout
    spatial_dropout: SpatialDropout
    convolution: Convolution
    resize_convolution: ResizeConvolution
    transpose_convolution: TransposeConvolution
    upsample: Upsample
    max_pooling: MaxPooling
    average_pooling: AveragePooling
    global_max_pooling: GlobalMaxPooling
    global_average_pooling: GlobalAveragePooling
    outer_skip_source: OuterSkipSource
    outer_skip_target: OuterSkipTarget
    permute: Permute
    gaussian_dropout: GaussianDropout
    alpha_dropout: AlphaDropout
    gaussian_noise: GaussianNoise
    separable_convolution: SeparableConvolution
    depthwise_separable_convolution: DepthwiseSeparableConvolution
    zero_padding: ZeroPadding
    cropping: Cropping
    elu: Elu
    thresholded_relu: ThresholdedRelu
    prelu: Prelu
    inner_skip_source: InnerSkipSource
    inner_skip_target: InnerSkipTarget
    hook_connection_source: HookConnectionSource
    hook_connection_target: HookConnectionTarget
    backbone: Backbone
    def __init__(self, rank: _Optional[int] = ..., input: _Optional[_Union[Input, _Mapping]] = ..., reshape: _Optional[_Union[Reshape, _Mapping]] = ..., flatten: _Optional[_Union[Flatten, _Mapping]] = ..., dense: _Optional[_Union[Dense, _Mapping]] = ..., activation: _Optional[_Union[Activation, _Mapping]] = ..., leaky_relu: _Optional[_Union[LeakyRelu, _Mapping]] = ..., batch_normalization: _Optional[_Union[BatchNormalization, _Mapping]] = ..., dropout: _Optional[_Union[Dropout, _Mapping]] = ..., spatial_dropout: _Optional[_Union[SpatialDropout, _Mapping]] = ..., convolution: _Optional[_Union[Convolution, _Mapping]] = ..., resize_convolution: _Optional[_Union[ResizeConvolution, _Mapping]] = ..., transpose_convolution: _Optional[_Union[TransposeConvolution, _Mapping]] = ..., upsample: _Optional[_Union[Upsample, _Mapping]] = ..., max_pooling: _Optional[_Union[MaxPooling, _Mapping]] = ..., average_pooling: _Optional[_Union[AveragePooling, _Mapping]] = ..., global_max_pooling: _Optional[_Union[GlobalMaxPooling, _Mapping]] = ..., global_average_pooling: _Optional[_Union[GlobalAveragePooling, _Mapping]] = ..., outer_skip_source: _Optional[_Union[OuterSkipSource, _Mapping]] = ..., outer_skip_target: _Optional[_Union[OuterSkipTarget, _Mapping]] = ..., permute: _Optional[_Union[Permute, _Mapping]] = ..., gaussian_dropout: _Optional[_Union[GaussianDropout, _Mapping]] = ..., alpha_dropout: _Optional[_Union[AlphaDropout, _Mapping]] = ..., gaussian_noise: _Optional[_Union[GaussianNoise, _Mapping]] = ..., separable_convolution: _Optional[_Union[SeparableConvolution, _Mapping]] = ..., depthwise_separable_convolution: _Optional[_Union[DepthwiseSeparableConvolution, _Mapping]] = ..., zero_padding: _Optional[_Union[ZeroPadding, _Mapping]] = ..., cropping: _Optional[_Union[Cropping, _Mapping]] = ..., elu: _Optional[_Union[Elu, _Mapping]] = ..., thresholded_relu: _Optional[_Union[ThresholdedRelu, _Mapping]] = ..., prelu: _Optional[_Union[Prelu, _Mapping]] = ..., inner_skip_source: _Optional[_Union[InnerSkipSource, _Mapping]] = ..., inner_skip_target: _Optional[_Union[InnerSkipTarget, _Mapping]] = ..., hook_connection_source: _Optional[_Union[HookConnectionSource, _Mapping]] = ..., hook_connection_target: _Optional[_Union[HookConnectionTarget, _Mapping]] = ..., backbone: _Optional[_Union[Backbone, _Mapping]] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("shape",)
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Reshape(_message.Message):
    __slots__ = ("shape",)
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Flatten(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Dense(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: int
    def __init__(self, units: _Optional[int] = ...) -> None: ...

class Activation(_message.Message):
    __slots__ = ("activation",)
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    activation: str
    def __init__(self, activation: _Optional[str] = ...) -> None: ...

class LeakyRelu(_message.Message):
    __slots__ = ("alpha",)
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    def __init__(self, alpha: _Optional[float] = ...) -> None: ...

class BatchNormalization(_message.Message):
    __slots__ = ("momentum", "epsilon")
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    EPSILON_FIELD_NUMBER: _ClassVar[int]
    momentum: float
    epsilon: float
    def __init__(self, momentum: _Optional[float] = ..., epsilon: _Optional[float] = ...) -> None: ...

class Dropout(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class SpatialDropout(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class Convolution(_message.Message):
    __slots__ = ("filters", "kernel", "stride", "padding", "dilation", "initializer", "kernel_regularizer", "activity_regularizer", "l1", "l2")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    DILATION_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    KERNEL_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    L2_FIELD_NUMBER: _ClassVar[int]
    filters: int
    kernel: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    padding: str
    dilation: _containers.RepeatedScalarFieldContainer[int]
    initializer: str
    kernel_regularizer: str
    activity_regularizer: str
    l1: float
    l2: float
    def __init__(self, filters: _Optional[int] = ..., kernel: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ..., padding: _Optional[str] = ..., dilation: _Optional[_Iterable[int]] = ..., initializer: _Optional[str] = ..., kernel_regularizer: _Optional[str] = ..., activity_regularizer: _Optional[str] = ..., l1: _Optional[float] = ..., l2: _Optional[float] = ...) -> None: ...

class ResizeConvolution(_message.Message):
    __slots__ = ("filters", "kernel", "stride", "resize", "padding", "dilation", "initializer", "kernel_regularizer", "activity_regularizer", "l1", "l2")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    RESIZE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    DILATION_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    KERNEL_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    L2_FIELD_NUMBER: _ClassVar[int]
    filters: int
    kernel: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    resize: _containers.RepeatedScalarFieldContainer[int]
    padding: str
    dilation: _containers.RepeatedScalarFieldContainer[int]
    initializer: str
    kernel_regularizer: str
    activity_regularizer: str
    l1: float
    l2: float
    def __init__(self, filters: _Optional[int] = ..., kernel: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ..., resize: _Optional[_Iterable[int]] = ..., padding: _Optional[str] = ..., dilation: _Optional[_Iterable[int]] = ..., initializer: _Optional[str] = ..., kernel_regularizer: _Optional[str] = ..., activity_regularizer: _Optional[str] = ..., l1: _Optional[float] = ..., l2: _Optional[float] = ...) -> None: ...

class TransposeConvolution(_message.Message):
    __slots__ = ("filters", "kernel", "stride", "padding", "dilation", "initializer", "kernel_regularizer", "activity_regularizer", "l1", "l2")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    DILATION_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    KERNEL_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    L2_FIELD_NUMBER: _ClassVar[int]
    filters: int
    kernel: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    padding: str
    dilation: _containers.RepeatedScalarFieldContainer[int]
    initializer: str
    kernel_regularizer: str
    activity_regularizer: str
    l1: float
    l2: float
    def __init__(self, filters: _Optional[int] = ..., kernel: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ..., padding: _Optional[str] = ..., dilation: _Optional[_Iterable[int]] = ..., initializer: _Optional[str] = ..., kernel_regularizer: _Optional[str] = ..., activity_regularizer: _Optional[str] = ..., l1: _Optional[float] = ..., l2: _Optional[float] = ...) -> None: ...

class Upsample(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, size: _Optional[_Iterable[int]] = ...) -> None: ...

class MaxPooling(_message.Message):
    __slots__ = ("pool_size", "stride")
    POOL_SIZE_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    pool_size: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, pool_size: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ...) -> None: ...

class AveragePooling(_message.Message):
    __slots__ = ("pool_size", "stride")
    POOL_SIZE_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    pool_size: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, pool_size: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ...) -> None: ...

class GlobalMaxPooling(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GlobalAveragePooling(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OuterSkipSource(_message.Message):
    __slots__ = ("skip_type",)
    SKIP_TYPE_FIELD_NUMBER: _ClassVar[int]
    skip_type: str
    def __init__(self, skip_type: _Optional[str] = ...) -> None: ...

class OuterSkipTarget(_message.Message):
    __slots__ = ("skip_type",)
    SKIP_TYPE_FIELD_NUMBER: _ClassVar[int]
    skip_type: str
    def __init__(self, skip_type: _Optional[str] = ...) -> None: ...

class Permute(_message.Message):
    __slots__ = ("dims",)
    DIMS_FIELD_NUMBER: _ClassVar[int]
    dims: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, dims: _Optional[_Iterable[int]] = ...) -> None: ...

class GaussianDropout(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class AlphaDropout(_message.Message):
    __slots__ = ("rate",)
    RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    def __init__(self, rate: _Optional[float] = ...) -> None: ...

class GaussianNoise(_message.Message):
    __slots__ = ("standard_deviation",)
    STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    standard_deviation: float
    def __init__(self, standard_deviation: _Optional[float] = ...) -> None: ...

class SeparableConvolution(_message.Message):
    __slots__ = ("filters", "kernel", "stride", "padding", "dilation", "initializer", "kernel_regularizer", "activity_regularizer", "l1", "l2")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    DILATION_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    KERNEL_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    L2_FIELD_NUMBER: _ClassVar[int]
    filters: int
    kernel: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    padding: str
    dilation: _containers.RepeatedScalarFieldContainer[int]
    initializer: str
    kernel_regularizer: str
    activity_regularizer: str
    l1: float
    l2: float
    def __init__(self, filters: _Optional[int] = ..., kernel: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ..., padding: _Optional[str] = ..., dilation: _Optional[_Iterable[int]] = ..., initializer: _Optional[str] = ..., kernel_regularizer: _Optional[str] = ..., activity_regularizer: _Optional[str] = ..., l1: _Optional[float] = ..., l2: _Optional[float] = ...) -> None: ...

class DepthwiseSeparableConvolution(_message.Message):
    __slots__ = ("filters", "kernel", "stride", "padding", "dilation", "initializer", "kernel_regularizer", "activity_regularizer", "l1", "l2")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    DILATION_FIELD_NUMBER: _ClassVar[int]
    INITIALIZER_FIELD_NUMBER: _ClassVar[int]
    KERNEL_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_REGULARIZER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    L2_FIELD_NUMBER: _ClassVar[int]
    filters: int
    kernel: _containers.RepeatedScalarFieldContainer[int]
    stride: _containers.RepeatedScalarFieldContainer[int]
    padding: str
    dilation: _containers.RepeatedScalarFieldContainer[int]
    initializer: str
    kernel_regularizer: str
    activity_regularizer: str
    l1: float
    l2: float
    def __init__(self, filters: _Optional[int] = ..., kernel: _Optional[_Iterable[int]] = ..., stride: _Optional[_Iterable[int]] = ..., padding: _Optional[str] = ..., dilation: _Optional[_Iterable[int]] = ..., initializer: _Optional[str] = ..., kernel_regularizer: _Optional[str] = ..., activity_regularizer: _Optional[str] = ..., l1: _Optional[float] = ..., l2: _Optional[float] = ...) -> None: ...

class ZeroPadding(_message.Message):
    __slots__ = ("padding",)
    PADDING_FIELD_NUMBER: _ClassVar[int]
    padding: _containers.RepeatedCompositeFieldContainer[Numbers]
    def __init__(self, padding: _Optional[_Iterable[_Union[Numbers, _Mapping]]] = ...) -> None: ...

class Cropping(_message.Message):
    __slots__ = ("cropping",)
    CROPPING_FIELD_NUMBER: _ClassVar[int]
    cropping: _containers.RepeatedCompositeFieldContainer[Numbers]
    def __init__(self, cropping: _Optional[_Iterable[_Union[Numbers, _Mapping]]] = ...) -> None: ...

class Elu(_message.Message):
    __slots__ = ("alpha",)
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    def __init__(self, alpha: _Optional[float] = ...) -> None: ...

class ThresholdedRelu(_message.Message):
    __slots__ = ("theta",)
    THETA_FIELD_NUMBER: _ClassVar[int]
    theta: float
    def __init__(self, theta: _Optional[float] = ...) -> None: ...

class Prelu(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InnerSkipSource(_message.Message):
    __slots__ = ("skip_type",)
    SKIP_TYPE_FIELD_NUMBER: _ClassVar[int]
    skip_type: str
    def __init__(self, skip_type: _Optional[str] = ...) -> None: ...

class InnerSkipTarget(_message.Message):
    __slots__ = ("skip_type",)
    SKIP_TYPE_FIELD_NUMBER: _ClassVar[int]
    skip_type: str
    def __init__(self, skip_type: _Optional[str] = ...) -> None: ...

class HookConnectionSource(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HookConnectionTarget(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Backbone(_message.Message):
    __slots__ = ("network", "include_top", "weights", "input_shape", "skips", "hooks", "input_scaling")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOP_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SHAPE_FIELD_NUMBER: _ClassVar[int]
    SKIPS_FIELD_NUMBER: _ClassVar[int]
    HOOKS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCALING_FIELD_NUMBER: _ClassVar[int]
    network: str
    include_top: bool
    weights: str
    input_shape: _containers.RepeatedScalarFieldContainer[int]
    skips: bool
    hooks: bool
    input_scaling: bool
    def __init__(self, network: _Optional[str] = ..., include_top: bool = ..., weights: _Optional[str] = ..., input_shape: _Optional[_Iterable[int]] = ..., skips: bool = ..., hooks: bool = ..., input_scaling: bool = ...) -> None: ...

class Numbers(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...
