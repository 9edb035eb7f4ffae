"""Steps of GANs against the same mathematics in float64, for networks of one weight per channel."""

from typing import Any

import keras
import numpy as np
import pytest

from dlae_core.monitors import LossParts, Monitors
from dlae_core.steps import Adversaries, CycleGanSteps, ImagePool, Pix2PixSteps
from dlae_core.steps.adversarial import PARTS

pytestmark = pytest.mark.keras

RATES = (0.05, 0.2, 0.3)
SHAPE = (2, 3, 3, 1)


def _pixelwise(channels: tuple[int, ...], weights: list[float]) -> keras.Model:
    """Returns `sum_i w_i x_i + b`, pixel by pixel; the last of the weights is b."""
    inputs = [keras.Input((3, 3, count)) for count in channels]
    joined = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    layer = keras.layers.Conv2D(1, 1)
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer(joined))
    layer.set_weights([np.reshape(weights[:-1], (1, 1, -1, 1)), np.asarray(weights[-1:])])
    return model


def _steps(kind: Any, models: list[keras.Model], weights: tuple[float, ...]) -> Any:
    half = len(models) // 2
    optimizers = [keras.optimizers.SGD(1.0) for _ in range(1 + half)]
    adversaries = Adversaries(models, optimizers, [ImagePool(0, (), 0)] * half)
    return kind(adversaries, weights, LossParts(PARTS, Monitors([])))


def _images(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return tuple(random.normal(size=SHAPE).astype(np.float32) for _ in range(2))  # type: ignore[return-value]


def _weights(model: keras.Model) -> np.ndarray:
    return np.concatenate([np.ravel(weight) for weight in model.get_weights()])


class _Affine:
    """`sum_i w_i x_i + b` in float64."""

    def __init__(self, weights: list[float]) -> None:
        self.weights = np.float64(weights)

    def __call__(self, *given: np.ndarray) -> np.ndarray:
        return sum(w * x for w, x in zip(self.weights, given, strict=False)) + self.weights[-1]

    def descend(self, rate: float, *terms: tuple[np.ndarray, tuple[np.ndarray, ...]]) -> None:
        """Descends along the derivatives of a loss by some outputs, each of its inputs."""
        gradient = np.zeros_like(self.weights)
        for by_output, given in terms:
            gradient += [*((by_output * one).sum() for one in given), by_output.sum()]
        self.weights = self.weights - rate * gradient


def _judge(
    judge: _Affine, rate: float, true: tuple[np.ndarray, ...], made: tuple[np.ndarray, ...]
) -> tuple[float, float]:
    on_true, on_made = judge(*true), judge(*made)
    size = on_true.size
    loss = (np.mean((on_true - 1) ** 2) + np.mean(on_made**2)) / 2
    right = (np.mean(on_true > 0.5) + np.mean(on_made <= 0.5)) / 2
    judge.descend(rate, (2 * (on_true - 1) / size, true), (2 * on_made / size, made))
    return float(loss), float(right)


def _pix2pix(make: _Affine, judge: _Affine, x: np.ndarray, y: np.ndarray, a: float) -> list[float]:
    made = make(x)
    loss, right = _judge(judge, RATES[1], (y, x), (made, x))
    judged = judge(made, x)
    adversarial, distance = np.mean((judged - 1) ** 2), np.mean(np.abs(made - y))
    by_made = 2 * (judged - 1) / judged.size * judge.weights[0] + a * np.sign(made - y) / made.size
    make.descend(RATES[0], (by_made, (x,)))
    total = adversarial + a * distance
    return [total, adversarial, distance, 0.0, loss, right]


def test_pix2pix_steps_are_those_of_float64() -> None:
    start = [[0.7, -0.1], [0.4, -0.3, 0.2]]
    models = [_pixelwise((1,), start[0]), _pixelwise((1, 1), start[1])]
    steps = _steps(Pix2PixSteps, models, (3.0,))
    make, judge = (_Affine(one) for one in start)
    for seed in range(5):
        x, y = _images(seed)
        sums = steps.train(x, y, RATES[:2])
        expected = _pix2pix(make, judge, np.float64(x), np.float64(y), 3.0)
        assert sums[1:-1] / sums[-1] == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert sums[0] == pytest.approx(expected[0], rel=1e-4)
    assert _weights(models[0]) == pytest.approx(make.weights, rel=1e-4)
    assert _weights(models[1]) == pytest.approx(judge.weights, rel=1e-4)


def _cyclegan(nets: list[_Affine], x: np.ndarray, y: np.ndarray, a: float, b: float) -> list[float]:
    to_y, to_x, judge_x, judge_y = nets
    made_y, made_x = to_y(x), to_x(y)
    verdicts = [
        _judge(judge_x, RATES[1], (x,), (made_x,)),
        _judge(judge_y, RATES[2], (y,), (made_y,)),
    ]
    on_x, on_y = judge_x(made_x), judge_y(made_y)
    cycled_x, cycled_y, same_x, same_y = to_x(made_y), to_y(made_x), to_x(x), to_y(y)
    size = x.size
    by_cycled_x, by_cycled_y = (
        a * np.sign(one - true) / size for one, true in ((cycled_x, x), (cycled_y, y))
    )
    by_same_x, by_same_y = (
        b * np.sign(one - true) / size for one, true in ((same_x, x), (same_y, y))
    )
    by_made_x = 2 * (on_x - 1) / size * judge_x.weights[0] + by_cycled_y * to_y.weights[0]
    by_made_y = 2 * (on_y - 1) / size * judge_y.weights[0] + by_cycled_x * to_x.weights[0]
    terms_y = ((by_made_y, (x,)), (by_cycled_y, (made_x,)), (by_same_y, (y,)))
    terms_x = ((by_made_x, (y,)), (by_cycled_x, (made_y,)), (by_same_x, (x,)))
    to_y.descend(RATES[0], *terms_y)
    to_x.descend(RATES[0], *terms_x)
    adversarial = np.mean((on_x - 1) ** 2) + np.mean((on_y - 1) ** 2)
    cycle = np.mean(np.abs(cycled_x - x)) + np.mean(np.abs(cycled_y - y))
    identity = np.mean(np.abs(same_x - x)) + np.mean(np.abs(same_y - y))
    total = adversarial + a * cycle + b * identity
    told = [total, adversarial / 2, cycle / 2, identity / 2]
    return [*told, *(sum(values) / 2 for values in zip(*verdicts, strict=True))]


def test_cyclegan_steps_are_those_of_float64() -> None:
    start = [[0.7, -0.1], [1.1, 0.3], [0.4, 0.2], [-0.6, 0.1]]
    models = [_pixelwise((1,), one) for one in start]
    steps = _steps(CycleGanSteps, models, (2.0, 0.5))
    nets = [_Affine(one) for one in start]
    for seed in range(5):
        x, y = _images(seed)
        sums = steps.train(x, y, RATES)
        expected = _cyclegan(nets, np.float64(x), np.float64(y), 2.0, 0.5)
        assert sums[1:-1] / sums[-1] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for model, net in zip(models, nets, strict=True):
        assert _weights(model) == pytest.approx(net.weights, rel=1e-3, abs=1e-5)


def test_evaluation_changes_nothing() -> None:
    models = [_pixelwise((1,), [0.7, -0.1]), _pixelwise((1, 1), [0.4, -0.3, 0.2])]
    steps = _steps(Pix2PixSteps, models, (3.0,))
    before = {name: one.copy() for name, one in steps.arrays().items()}
    steps.evaluate(*_images(1))
    for name, one in steps.arrays().items():
        np.testing.assert_array_equal(one, before[name])


def _numbered(first: int, count: int) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.float32)[:, None, None, None]


def test_the_pool_fills_then_gives_half_of_what_is_older() -> None:
    pool = ImagePool(4, (1, 1, 1), seed=5)
    for update in range(2):
        shown = np.asarray(pool.exchanged(_numbered(2 * update, 2), update))
        np.testing.assert_array_equal(shown, _numbered(2 * update, 2))
    old, seen = 0, {0.0, 1.0, 2.0, 3.0}
    for update in range(2, 202):
        made = _numbered(2 * update, 2)
        shown = np.asarray(pool.exchanged(made, update)).ravel()
        seen |= set(made.ravel().tolist())
        assert set(shown.tolist()) <= seen
        # What is shown is gone from the pool, so that nothing is shown twice.
        seen -= set(shown.tolist())
        old += int((shown != made.ravel()).sum())
    assert 160 < old < 240


def test_the_same_updates_draw_the_same_from_the_pool() -> None:
    pools = [ImagePool(4, (1, 1, 1), seed=5) for _ in range(2)]
    for update in range(9):
        first, second = (
            np.asarray(one.exchanged(_numbered(3 * update, 3), update)) for one in pools
        )
        np.testing.assert_array_equal(first, second)
