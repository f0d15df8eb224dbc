"""Initial weights have the variance of their paper, and the same bits for the same generator."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.layers import Dense
from nn.layers.initializers import INITIALIZERS, draw_weights

FAN_IN, FAN_OUT = 300, 100
VARIANCES = {
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "zeros": 0,
    "original": 1 / 12,
}
SHAPE = (FAN_IN, FAN_OUT)


def test_initializers_each_have_a_variance_here():
    assert list(INITIALIZERS) == list(VARIANCES)


@pytest.mark.parametrize("name", VARIANCES)
def test_initializer_has_its_variance(name, rng):
    W = INITIALIZERS[name](rng, SHAPE, FAN_IN, FAN_OUT).astype(np.float64)
    deviation = math.sqrt(VARIANCES[name])
    assert abs(W.mean()) <= 4 * deviation / math.sqrt(W.size)
    # The variance of a sample of m numbers strays by about 1.4 / sqrt(m) of itself.
    assert W.var() == pytest.approx(VARIANCES[name], rel=5 * math.sqrt(2 / W.size))


@pytest.mark.parametrize("name", VARIANCES)
def test_initializer_is_uniform_or_normal_as_its_name_says(name, rng):
    W = INITIALIZERS[name](rng, SHAPE, FAN_IN, FAN_OUT).astype(np.float64)
    deviation = math.sqrt(VARIANCES[name])
    if name.endswith("normal"):
        # Of 30,000 normal numbers some 80 lie beyond 3 deviations; uniform ones end at 1.73.
        assert 40 < (np.abs(W) > 3 * deviation).sum() < 130
    else:
        assert np.abs(W).max() <= math.sqrt(3) * deviation * (1 + 1e-6)


@given(
    st.sampled_from(sorted(INITIALIZERS)),
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.integers(0, 9),
)
def test_initializer_draws_float32_of_the_shape_by_its_generator_alone(name, shape, seed):
    first, second = (INITIALIZERS[name](np.random.default_rng(seed), tuple(shape), 7, 3) for _ in range(2))
    assert first.shape == tuple(shape) and first.dtype == np.float32
    assert np.array_equal(first, second)


def test_initializers_go_on_drawing_the_bits_that_models_were_trained_from():
    rng = np.random.default_rng(5)
    limit = np.sqrt(6.0 / 400)
    uniform = rng.uniform(-limit, limit, size=SHAPE).astype(np.float32)
    normal = (rng.standard_normal(SHAPE) * np.sqrt(2.0 / 300)).astype(np.float32)
    rng = np.random.default_rng(5)
    assert np.array_equal(INITIALIZERS["glorot_uniform"](rng, SHAPE, FAN_IN, FAN_OUT), uniform)
    assert np.array_equal(INITIALIZERS["he_normal"](rng, SHAPE, FAN_IN, FAN_OUT), normal)


@pytest.mark.parametrize(
    ("name", "drawn"), [(None, "glorot_uniform"), *((name, name) for name in INITIALIZERS)]
)
def test_draw_multiplies_what_the_named_initializer_draws_by_the_gain(name, drawn):
    W = draw_weights(name, 1.5, np.random.default_rng(2), SHAPE, FAN_IN, FAN_OUT)
    expected = INITIALIZERS[drawn](np.random.default_rng(2), SHAPE, FAN_IN, FAN_OUT) * np.float32(1.5)
    assert W.dtype == np.float32 and np.array_equal(W, expected)


@pytest.mark.parametrize("name", ["glorot", "", 3, ["zeros"], True])
def test_a_layer_lists_the_initializers_it_knows(name):
    with pytest.raises(ValueError) as caught:
        Dense(1, name)
    assert str(caught.value) == f"Dense initializer must be one of {', '.join(VARIANCES)}, got {name!r}"


@pytest.mark.parametrize("gain", [0, -1.0, math.nan, math.inf, True, False, "1", None])
def test_a_layer_refuses_a_gain_that_is_not_above_0(gain):
    with pytest.raises(ValueError) as caught:
        Dense(1, "zeros", gain)
    assert str(caught.value) == f"Dense gain must be a finite number above 0, got {gain!r}"


def test_a_layer_takes_every_initializer():
    for name in (None, *INITIALIZERS):
        assert Dense(1, name, 2).initializer == name
