"""Every layer type of the schema builds, infers its shape, learns, saves and reloads."""

import keras
import numpy as np
import pytest

from dlae.v1.layers_pb2 import Layer
from dlae_core.graph import build_network
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
}

ALL = [(kind, *case) for kind, cases in CASES.items() for case in cases]


def _network(texts: list[str]) -> keras.Model:
    layers = [parse_layer(text) for text in texts]
    return build_network(layers, "layers.serial_layer_list").model


def test_every_layer_type_of_the_schema_has_a_case() -> None:
    assert set(CASES) == {field.name for field in Layer.DESCRIPTOR.oneofs_by_name["type"].fields}


def test_every_layer_type_is_built_or_part_of_the_graph() -> None:
    of_the_graph = {"input", "outer_skip_source", "outer_skip_target"}
    assert set(BUILDERS) == set(CASES) - of_the_graph


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
