"""Every layer type of the schema builds, infers its shape, learns, saves and reloads."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from dlae.v1.layers_pb2 import Layer
from dlae_core.graph import STEPS, build_network
from dlae_core.layers.builders import BUILDERS
from dlae_core.layers.language import parse_layer

pytestmark = pytest.mark.keras

IMAGE_2D = "Input:(8, 6, 2)"
IMAGE_3D = "Input:(8, 6, 4, 2)"
CONV = "l2:l1:0.01:0.02"

# Field of `Layer.type`: layer lists and the output shape that the field's own arithmetic gives.
CASES: dict[str, list[tuple[list[str], tuple[int, ...]]]] = {
    "input": [([IMAGE_2D], (8, 6, 2)), ([IMAGE_3D], (8, 6, 4, 2))],
    "reshape": [([IMAGE_2D, "Reshape:(12, -1)"], (12, 8))],
    "flatten": [([IMAGE_3D, "Flatten"], (384,))],
    "dense": [([IMAGE_2D, "Dense:5"], (8, 6, 5)), ([IMAGE_2D, "Flatten", "Dense:3"], (3,))],
    "activation": [([IMAGE_2D, "Activation:softmax"], (8, 6, 2))],
    "leaky_relu": [([IMAGE_2D, "Leaky reLU:0.2"], (8, 6, 2))],
    "batch_normalization": [([IMAGE_3D, "Batch normalization:0.9:0.01"], (8, 6, 4, 2))],
    "dropout": [([IMAGE_2D, "Dropout:0.5"], (8, 6, 2))],
    "spatial_dropout": [
        ([IMAGE_2D, "Spatial dropout 2D:0.5"], (8, 6, 2)),
        ([IMAGE_3D, "Spatial dropout 3D:0.5"], (8, 6, 4, 2)),
    ],
    "convolution": [
        ([IMAGE_2D, f"Convolution 2D:4:(3, 3):(2, 2):same:(1, 1):he_normal:{CONV}"], (4, 3, 4)),
        ([IMAGE_2D, "Convolution 2D:4:(3, 1):(1, 1):valid:(2, 2)"], (4, 6, 4)),
        ([IMAGE_3D, "Convolution 3D:4:(3, 3, 3):(1, 2, 1):valid"], (6, 2, 2, 4)),
    ],
    "resize_convolution": [
        ([IMAGE_2D, f"Resize convolution 2D:4:3:1:(2, 3):same:1:he_normal:{CONV}"], (16, 18, 4)),
        ([IMAGE_3D, "Resize convolution 3D:4:3:1:(2, 2, 2)"], (16, 12, 8, 4)),
    ],
    "transpose_convolution": [
        ([IMAGE_2D, f"Transpose convolution 2D:4:3:(2, 2):same:1:zeros:{CONV}"], (16, 12, 4)),
        ([IMAGE_2D, "Transpose convolution 2D:4:3:(2, 2):valid"], (17, 13, 4)),
        ([IMAGE_3D, "Transpose convolution 3D:4:3:(2, 2, 2)"], (16, 12, 8, 4)),
    ],
    "upsample": [
        ([IMAGE_2D, "Upsample 2D:(2, 3)"], (16, 18, 2)),
        ([IMAGE_3D, "Upsample 3D:2"], (16, 12, 8, 2)),
    ],
    "max_pooling": [
        ([IMAGE_2D, "Max pooling 2D:(3, 3):(2, 2)"], (3, 2, 2)),
        ([IMAGE_3D, "Max pooling 3D:2"], (4, 3, 2, 2)),
    ],
    "average_pooling": [
        ([IMAGE_2D, "Average pooling 2D:(2, 2)"], (4, 3, 2)),
        ([IMAGE_3D, "Average pooling 3D:(2, 2, 2):(1, 1, 1)"], (7, 5, 3, 2)),
    ],
    "global_max_pooling": [
        ([IMAGE_2D, "Global max pooling 2D"], (2,)),
        ([IMAGE_3D, "Global max pooling 3D"], (2,)),
    ],
    "global_average_pooling": [
        ([IMAGE_2D, "Global average pooling 2D"], (2,)),
        ([IMAGE_3D, "Global average pooling 3D"], (2,)),
    ],
    "outer_skip_source": [([IMAGE_2D, "Outer skip source:add"], (8, 6, 2))],
    "outer_skip_target": [
        ([IMAGE_2D, "Outer skip source", "Dense:5", "Outer skip target:concatenate"], (8, 6, 7)),
        ([IMAGE_2D, "Outer skip source", "Dense:2", "Outer skip target:subtract"], (8, 6, 2)),
    ],
    "permute": [
        ([IMAGE_2D, "Permute:(3, 1, 2)"], (2, 8, 6)),
        ([IMAGE_3D, "Permute:(1, 0, 2, 3)"], (6, 8, 4, 2)),
    ],
    "gaussian_dropout": [([IMAGE_2D, "Gaussian dropout:0.5"], (8, 6, 2))],
    "alpha_dropout": [([IMAGE_2D, "Alpha dropout:0.5"], (8, 6, 2))],
    "gaussian_noise": [([IMAGE_3D, "Gaussian noise:0.1"], (8, 6, 4, 2))],
    "separable_convolution": [
        ([IMAGE_2D, f"Separable convolution 2D:4:3:(2, 2):same:1:he_normal:{CONV}"], (4, 3, 4)),
        ([IMAGE_2D, "Separable convolution 2D:4:3:(2, 1):valid"], (3, 4, 4)),
        ([IMAGE_3D, f"Separable convolution 3D:4:3:2:same:1:he_normal:{CONV}"], (4, 3, 2, 4)),
    ],
    "depthwise_separable_convolution": [
        ([IMAGE_2D, f"Depthwise separable convolution 2D:4:3:2:same:he_normal:{CONV}"], (4, 3, 4)),
        ([IMAGE_2D, "Depthwise separable convolution 2D:4:3:1:valid:(2, 2)"], (4, 2, 4)),
        ([IMAGE_3D, "Depthwise convolution 3D:4:3:(1, 2, 1):valid"], (6, 2, 2, 4)),
    ],
    "zero_padding": [
        ([IMAGE_2D, "Zero padding 2D:((1, 2), (0, 3))"], (11, 9, 2)),
        ([IMAGE_3D, "Zero padding 3D:1"], (10, 8, 6, 2)),
    ],
    "cropping": [
        ([IMAGE_2D, "Cropping 2D:(1, 2)"], (6, 2, 2)),
        ([IMAGE_3D, "Cropping 3D:((1, 0), (0, 2), (1, 1))"], (7, 4, 2, 2)),
    ],
    "elu": [([IMAGE_2D, "ELU:0.5"], (8, 6, 2))],
    "thresholded_relu": [([IMAGE_3D, "Thresholded reLU:0.5"], (8, 6, 4, 2))],
    "prelu": [([IMAGE_2D, "PreLU"], (8, 6, 2))],
    "inner_skip_source": [([IMAGE_2D, "Inner skip source"], (8, 6, 2))],
    "inner_skip_target": [
        ([IMAGE_2D, "Inner skip source", "Dense:5", "Inner skip target"], (8, 6, 7)),
        ([IMAGE_3D, "Inner skip source", "Dense:2", "Inner skip target:maximum"], (8, 6, 4, 2)),
    ],
    "hook_connection_source": [([IMAGE_2D, "Hook connection source"], (8, 6, 2))],
    "hook_connection_target": [([IMAGE_2D, "Hook connection target"], (8, 6, 2))],
    "backbone": [
        (["Input:(64, 96, 2)", "MobileNet:False:none:(64, 96, 2)"], (2, 3, 1024)),
        (
            [
                "Input:(32, 32, 1)",
                "Convolution 2D:3",
                "VGG16:::(32, 32, 3):True:True",
                "Upsample 2D",
                "Outer skip target",
            ],
            (2, 2, 1024),
        ),
    ],
}

ALL = [(kind, *case) for kind, cases in CASES.items() for case in cases]


def _network(texts: list[str]) -> keras.Model:
    layers = [parse_layer(text) for text in texts]
    return build_network(layers, "layers.serial_layer_list").model


def test_every_layer_type_of_the_schema_has_a_case() -> None:
    assert set(CASES) == {field.name for field in Layer.DESCRIPTOR.oneofs_by_name["type"].fields}


def test_every_layer_type_is_built_or_part_of_the_graph() -> None:
    assert set(BUILDERS).isdisjoint(STEPS)
    assert {*BUILDERS, *STEPS} == set(CASES)


@pytest.mark.parametrize(("kind", "texts", "shape"), ALL)
def test_layer_has_the_shape_its_arithmetic_gives(
    kind: str, texts: list[str], shape: tuple[int, ...]
) -> None:
    assert _network(texts).output_shape == (None, *shape)


@pytest.mark.parametrize(("kind", "texts", "shape"), ALL)
def test_layer_survives_saving_without_dlae(
    kind: str, texts: list[str], shape: tuple[int, ...], tmp_path: object
) -> None:
    model = _network(texts)
    image = np.random.default_rng(1).normal(size=(2, *model.input_shape[1:])).astype("float32")
    model.save(f"{tmp_path}/model.keras")
    again = keras.models.load_model(f"{tmp_path}/model.keras", safe_mode=True)
    assert all(type(layer).__module__.startswith("keras.") for layer in again.layers)
    np.testing.assert_array_equal(again(image), model(image))


def test_subtract_is_source_minus_current() -> None:
    model = _network([IMAGE_2D, "Outer skip source", "Leaky reLU:0", "Outer skip target:subtract"])
    image = np.random.default_rng(1).normal(size=(1, 8, 6, 2)).astype("float32")
    np.testing.assert_allclose(model(image), image - np.maximum(image, 0), atol=1e-6)


def test_concatenate_puts_the_skip_first() -> None:
    texts = [IMAGE_2D, "Outer skip source", "Leaky reLU:0", "Outer skip target:concatenate"]
    image = -np.ones((1, 8, 6, 2), "float32")
    output = np.asarray(_network(texts)(image))
    assert output[..., :2].max() == -1
    assert output[..., 2:].min() == 0


def test_regularizers_are_sums_without_factors_and_leave_the_bias_alone() -> None:
    model = _network([IMAGE_2D, "Convolution 2D:2:1:1:same:1:ones:l1_l2:l1:0.01:0.1"])
    image = np.full((3, 8, 6, 2), 0.5, "float32")
    kernel_penalty = 0.01 * 4 + 0.1 * 4
    # Keras divides the penalty on the output by the batch size; DLAE 1.0 did not.
    activity_penalty = 0.01 * (3 * 8 * 6 * 2 * 1.0) / 3
    model(image)
    assert float(sum(model.losses)) == pytest.approx(kernel_penalty + activity_penalty, rel=1e-5)


def _weights(model: keras.Model, seed: int = 1) -> list[np.ndarray]:
    """Gives a network random weights and returns them."""
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    return model.get_weights()


def _convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Returns a valid convolution of each channel (*space, channels) with its own kernel."""
    channels = [
        correlate(image[..., channel], kernel[..., channel], mode="valid")
        for channel in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize(("image", "rank"), [(IMAGE_2D, 2), (IMAGE_3D, 3)])
def test_separable_convolution_is_channelwise_then_across(image: str, rank: int) -> None:
    model = _network([image, f"Separable convolution {rank}D:4:3:1:valid"])
    depthwise, pointwise, bias = _weights(model)
    sample = np.random.default_rng(2).normal(size=model.input_shape[1:])
    kernel = depthwise.reshape(*[3] * rank, 2)
    expected = _convolved(sample, kernel) @ pointwise.reshape(2, 4) + bias
    np.testing.assert_allclose(model(sample[np.newaxis])[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("image", "rank"), [(IMAGE_2D, 2), (IMAGE_3D, 3)])
def test_depthwise_separable_convolution_has_a_bias_in_both_steps(image: str, rank: int) -> None:
    model = _network([image, f"Depthwise separable convolution {rank}D:4:3:1:valid"])
    depthwise, inner_bias, pointwise, bias = _weights(model)
    sample = np.random.default_rng(2).normal(size=model.input_shape[1:])
    inner = _convolved(sample, depthwise.reshape(*[3] * rank, 2)) + inner_bias
    expected = inner @ pointwise.reshape(2, 4) + bias
    np.testing.assert_allclose(model(sample[np.newaxis])[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rank", [2, 3])
def test_both_kernels_of_a_separable_convolution_are_penalized(rank: int) -> None:
    image = {2: IMAGE_2D, 3: IMAGE_3D}[rank]
    text = f"Separable convolution {rank}D:3:1:1:same:1:ones:l1_l2:None:0.01:0.1"
    model = _network([image, text])
    # Two depthwise weights and six pointwise ones, all 1: 0.01 + 0.1 each.
    assert float(sum(model.losses)) == pytest.approx(8 * 0.11, rel=1e-5)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        ("ELU:0.5", lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        ("Thresholded reLU:0.5", lambda x: np.where(x > 0.5, x, 0.0)),
        ("Leaky reLU:0.2", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("PreLU", lambda x: np.maximum(x, 0)),
        ("Permute:(2, 1, 3)", lambda x: np.swapaxes(x, 1, 2)),
        ("Permute:(1, 0, 2)", lambda x: np.swapaxes(x, 1, 2)),
        ("Cropping 2D:((1, 2), (3, 0))", lambda x: x[:, 1:-2, 3:]),
        ("Zero padding 2D:((1, 0), (0, 2))", lambda x: np.pad(x, [(0, 0), (1, 0), (0, 2), (0, 0)])),
        ("Gaussian noise:0.5", lambda x: x),
        ("Hook connection target", lambda x: x),
    ],
)
def test_layer_computes_its_formula(
    layer: str, function: Callable[[np.ndarray], np.ndarray]
) -> None:
    model = _network([IMAGE_2D, layer])
    image = np.random.default_rng(3).normal(size=(2, 8, 6, 2)).astype("float32")
    image[0, 0, 0] = 0.5
    np.testing.assert_allclose(model(image), function(image), rtol=1e-6, atol=1e-6)


def test_inner_skips_meet_last_in_first_out_whatever_the_outer_ones_do() -> None:
    texts = [IMAGE_2D, "Inner skip source", "Dense:3", "Inner skip source", "Outer skip source"]
    texts += ["Dense:4", "Inner skip target", "Inner skip target", "Outer skip target"]
    network = build_network([parse_layer(text) for text in texts], "layers")
    assert [item.output_shape[-1] for item in network.items[-3:]] == [7, 9, 12]
    assert [item.inputs for item in network.items[-3:]] == [(5, 3), (6, 1), (7, 4)]
