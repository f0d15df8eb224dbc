"""Layers for rows and images: activations, dropout, layer normalization, residual blocks."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core.constraints import shown
from nn.core.random import Key
from nn.layers import (
    ACTIVATIONS,
    LAYERS,
    Dense,
    Dropout,
    Elu,
    Gelu,
    Identity,
    LayerNorm,
    LeakyRelu,
    Relu,
    Residual,
    Sigmoid,
    Softplus,
    Tanh,
    check_layer,
    layer_from_config,
)
from nn.layers.base import Layer

KEY = Key((7, 5))
ANY_SHAPE = [
    *(LAYERS[name]() for name in ACTIVATIONS),
    LeakyRelu(0.0),
    LeakyRelu(0.3),
    Elu(2.5),
    Elu(0.5),
    Dropout(0.3),
    LayerNorm(),
    Residual((Tanh(), LayerNorm(), Dropout(0.5))),
]
EACH = pytest.mark.parametrize("layer", ANY_SHAPE, ids=str)
BLOCK = Residual((Dense(4), Residual((Tanh(), Dropout(0.4), Dense(4))), Dropout(0.3)))


def once(layer, x, key=None, rng=None):
    """The output, the gradients and dx of fixed parameters and a fixed dout."""
    rng = rng or np.random.default_rng(3)
    params, _ = layer.build(x.shape[1:], rng)
    params = {name: (value + rng.normal(size=value.shape)).astype(x.dtype) for name, value in params.items()}
    out, cache = layer.forward(params, x, key)
    return (
        out,
        *layer.backward(params, cache, rng.normal(size=out.shape).astype(x.dtype)),
    )


# ---- all of them ----


@EACH
@pytest.mark.parametrize("shape", [(4,), (3, 2, 4)])
def test_layer_keeps_the_contract_for_rows_and_images(layer, shape):
    check_layer(layer, shape)


def test_residual_with_dropout_inside_keeps_the_contract():
    check_layer(BLOCK, (4,))


@EACH
def test_layer_does_not_depend_on_the_memory_order_of_its_input(layer, rng):
    x = rng.normal(size=(6, 3, 2, 4)).astype(np.float32)
    out, grads, dx = once(layer, x, KEY)
    rows_last = np.ascontiguousarray(x.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    for other in (rows_last, np.asfortranarray(x), np.ascontiguousarray(x[:, ::-1])[:, ::-1]):
        assert not other.flags.c_contiguous
        other_out, other_grads, other_dx = once(layer, other, KEY)
        assert np.allclose(other_out, out, rtol=1e-5, atol=1e-6)
        assert np.allclose(other_dx, dx, rtol=1e-4, atol=1e-5)
        for name in grads:
            assert np.allclose(other_grads[name], grads[name], rtol=1e-4, atol=1e-5)


@EACH
def test_layer_keeps_the_memory_order_of_images(layer, rng):
    x = rng.normal(size=(2, 4, 5, 3)).astype(np.float32).transpose(3, 0, 1, 2)  # rows innermost
    params, _ = layer.build(x.shape[1:], rng)
    out, cache = layer.forward(params, x, KEY)
    assert out.strides == x.strides
    assert layer.backward(params, cache, x)[1].strides == x.strides


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0, 4), (0, 3, 2, 4), (2, 4)])
def test_layer_keeps_the_dtype_and_accepts_zero_rows(layer, shape, dtype):
    out, grads, dx = once(layer, np.ones(shape, dtype), KEY)
    assert out.shape == dx.shape == shape
    assert {out.dtype, dx.dtype, *(grad.dtype for grad in grads.values())} == {np.dtype(dtype)}
    assert shape[0] or not any(grad.any() for grad in grads.values())


# ---- activations ----

HUGE = [-1e30, -3e4, -800.0, -20.0, -0.0, 0.0, 20.0, 800.0, 3e4, 1e30]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_finite_without_warnings_for_huge_numbers(name, dtype):
    x = np.array([HUGE], dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        out, cache = LAYERS[name]().forward({}, x)
        _, dx = LAYERS[name]().backward({}, cache, np.ones_like(x))
    assert np.isfinite(out).all() and np.isfinite(dx).all()
    if name in ("relu", "leaky_relu", "elu", "gelu", "softplus", "identity"):
        assert np.array_equal(out[:, -3:], x[:, -3:]) and np.array_equal(dx[:, -3:], np.ones((1, 3)))
    if name in ("relu", "gelu", "softplus"):
        assert not out[:, :2].any() and not dx[:, :2].any()


FORMULAS = {
    Sigmoid(): lambda x: 1 / (1 + math.exp(-x)),
    Tanh(): lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    Relu(): lambda x: max(x, 0),
    LeakyRelu(): lambda x: x if x > 0 else 0.01 * x,
    LeakyRelu(0.3): lambda x: x if x > 0 else 0.3 * x,
    Elu(): lambda x: x if x > 0 else math.exp(x) - 1,
    Elu(2.5): lambda x: x if x > 0 else 2.5 * (math.exp(x) - 1),
    Gelu(): lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    Softplus(): lambda x: math.log(1 + math.exp(x)),
    Identity(): lambda x: x,
}


@pytest.mark.parametrize("layer", FORMULAS, ids=str)
def test_activation_is_its_formula(layer):
    x = np.linspace(-12, 12, 97)[None]
    expected = [FORMULAS[layer](number) for number in x[0].tolist()]
    assert np.allclose(layer.forward({}, x)[0], [expected], rtol=1e-9, atol=1e-12)
    assert np.allclose(layer.forward({}, x.astype(np.float32))[0], [expected], rtol=2e-6, atol=1e-6)


def test_every_activation_has_a_formula_here():
    assert {layer.name for layer in FORMULAS} == set(ACTIVATIONS)


def test_gelu_is_near_its_exact_form():
    x = np.linspace(-6, 6, 121)
    exact = [number * 0.5 * (1 + math.erf(number / math.sqrt(2))) for number in x.tolist()]
    assert 1e-4 < np.abs(Gelu().forward({}, x[None])[0] - exact).max() < 5e-4


def test_softplus_and_elu_are_exact_close_to_zero():
    tiny = np.array([[-1e-12, -1e-6]])
    assert np.allclose(Elu().forward({}, tiny)[0], tiny, rtol=1e-6, atol=0)
    out, cache = Softplus().forward({}, np.array([[-50.0]]))
    expected = pytest.approx(math.exp(-50), rel=1e-12, abs=0)
    assert out[0, 0] == expected
    assert Softplus().backward({}, cache, np.ones((1, 1)))[1][0, 0] == expected


@pytest.mark.parametrize(
    ("make", "wrong", "message"),
    [
        *((LeakyRelu, wrong, "LeakyRelu slope must be a number in [0, 1), got ") for wrong in (-0.1, 1, 1.5)),
        *((Elu, wrong, "Elu alpha must be a finite number above 0, got ") for wrong in (0, -1.0, math.inf)),
        *(
            (Dropout, wrong, "Dropout rate must be a number in [0, 1), got ")
            for wrong in (-0.1, 1, 1.5, 10**400)
        ),
        *(
            (LayerNorm, wrong, "LayerNorm epsilon must be a finite number above 0, got ")
            for wrong in (0, -1e-5)
        ),
    ],
)
def test_layer_refuses_a_number_out_of_range(make, wrong, message):
    for value in (wrong, math.nan, True, False, "0.5", None, (0.5,)):
        with pytest.raises(ValueError) as caught:
            make(value)
        assert str(caught.value) == message + shown(value)


# ---- dropout ----


def test_dropout_returns_its_input_when_predicting_or_at_rate_0(rng):
    x = rng.normal(size=(3, 4))
    for layer, key in ((Dropout(0.5), None), (Dropout(0.0), KEY)):
        out, cache = layer.forward({}, x, key)
        assert out is x and layer.backward({}, cache, x)[1] is x


def test_dropout_is_random_unless_its_rate_is_0():
    assert Dropout(0.1).is_random and not Dropout(0).is_random and not Relu().is_random


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.85])
@pytest.mark.parametrize("shape", [(400, 500), (50, 10, 20, 20)])
def test_dropout_keeps_its_share_of_numbers_and_the_mean(rate, shape):
    out, factors = Dropout(rate).forward({}, np.ones(shape, np.float32), KEY)
    kept = out > 0
    deviation = math.sqrt(rate * (1 - rate) / out.size)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation
    assert np.allclose(out[kept], 1 / (1 - rate), rtol=1e-4)
    assert abs(out.mean(dtype=np.float64) - 1) < 4 * deviation / (1 - rate)
    for axis in range(len(shape)):  # no row, place or channel is favoured
        others = tuple(other for other in range(len(shape)) if other != axis)
        spread = math.sqrt(rate * (1 - rate) * shape[axis] / out.size)
        assert np.abs(kept.mean(axis=others) - (1 - rate)).max() < 5 * spread


def test_dropout_divides_by_the_rounded_rate_of_its_mask():
    # 16 bits keep 0.7 as 45875/65536; the expectation is exact only with that very share.
    out, _ = Dropout(0.3).forward({}, np.ones((50, 50)), KEY)
    assert set(np.unique(out)) == {0.0, 65536 / 45875}


@pytest.mark.parametrize(("rate", "threshold"), [(1e-9, 65535), (1 - 1e-9, 1)])
def test_dropout_at_extreme_rates_divides_by_the_rounded_rate(rate, threshold):
    out, _ = Dropout(rate).forward({}, np.ones((2000, 1000)), KEY)
    assert set(np.unique(out)) == {0.0, 65536 / threshold}
    rare = min((out == 0).sum(), (out != 0).sum())
    assert 12 < rare < 49  # of 2,000,000 / 65,536 = 30.5 that are expected


def test_dropout_mask_depends_on_the_key_alone(rng):
    x, y = rng.normal(size=(2, 40, 30))
    layer = Dropout(0.5)
    mask = layer.forward({}, x, KEY)[1]
    assert np.array_equal(mask, layer.forward({}, y, Key((7, 5)))[1])
    for other in (Key((7, 6)), Key((8, 5)), KEY.child(0)):
        assert 0.4 < (mask != layer.forward({}, x, other)[1]).mean() < 0.6


def test_dropout_masks_the_gradient_as_the_output(rng):
    x, dout = rng.normal(size=(2, 20, 5))
    out, cache = Dropout(0.4).forward({}, x, KEY)
    dx = Dropout(0.4).backward({}, cache, dout)[1]
    assert np.allclose(out / x, dx / dout) and (dx == 0).any() and (dx != 0).any()


# ---- layer normalization ----


@given(st.integers(0, 4), st.lists(st.integers(1, 4), max_size=2), st.integers(2, 9), st.integers(0, 99))
def test_layernorm_is_its_formula(n, places, features, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, (n, *places, features))
    gain, bias = rng.normal(size=(2, features))
    out, _ = LayerNorm(0.01).forward({"gain": gain, "bias": bias}, x)
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    assert np.allclose(out, gain * (x - mean) / np.sqrt(variance + 0.01) + bias)


def test_layernorm_starts_with_gain_1_and_bias_0(rng):
    params, shape = LayerNorm().build((5, 5, 8), rng)
    assert shape == (5, 5, 8)
    assert np.array_equal(params["gain"], np.ones(8)) and np.array_equal(params["bias"], np.zeros(8))
    out, _ = LayerNorm().forward(params, rng.normal(50, 9, (3, 5, 5, 8)).astype(np.float32))
    assert np.allclose(out.mean(axis=-1), 0, atol=1e-5) and np.allclose(out.var(axis=-1), 1, atol=1e-4)


def test_layernorm_refuses_a_last_axis_of_1(rng):
    with pytest.raises(
        ValueError, match="^needs at least 2 features in the last axis, got an image of 28x28x1$"
    ):
        LayerNorm().shapes((28, 28, 1))


@pytest.mark.parametrize("name", ["batchnorm", "batchnorm2d", "batch_norm", "BatchNorm"])
@pytest.mark.parametrize("wrap", [str, "residual({})".format, lambda name: {"name": name}])
def test_batchnorm_is_refused_with_a_hint_to_layernorm(name, wrap):
    expected = (
        f"unknown layer '{name}': a batch's statistics do not survive rows spread over machines; "
        f"use layernorm; known: {', '.join(LAYERS)}"
    )
    with pytest.raises(ValueError) as caught:
        layer_from_config(wrap(name))
    assert str(caught.value) == expected


# ---- residual blocks ----


def test_residual_adds_its_input_to_the_output_of_its_layers(rng):
    x = rng.normal(size=(5, 3))
    params = {
        "0.W": rng.normal(size=(3, 4)),
        "0.b": rng.normal(size=4),
        "2.W": rng.normal(size=(4, 3)),
        "2.b": rng.normal(size=3),
    }
    out, _ = Residual((Dense(4), Tanh(), Dense(3))).forward(params, x)
    assert np.allclose(out, x + np.tanh(x @ params["0.W"] + params["0.b"]) @ params["2.W"] + params["2.b"])


def test_residual_names_parameters_by_index_and_draws_them_in_order(rng):
    block = Residual((Dense(6), Relu(), Residual((Dense(6),)), *[Relu()] * 8, Dense(4)))
    params, shape = block.build((4,), np.random.default_rng(5))
    assert shape == (4,)
    assert list(params) == ["0.W", "0.b", "2.0.W", "2.0.b", "11.W", "11.b"]
    rng = np.random.default_rng(5)
    for name, inputs, units in (("0.W", 4, 6), ("2.0.W", 6, 6), ("11.W", 6, 4)):
        assert np.array_equal(params[name], Dense(units).build((inputs,), rng)[0]["W"])
    check_layer(block, (4,))


def test_residual_gives_each_inner_layer_its_own_key():
    x = np.ones((30, 40))
    out, _ = Residual((Dropout(0.5), Dropout(0.5))).forward({}, x, KEY)
    inner, _ = Dropout(0.5).forward({}, x, KEY.child(0))
    inner, _ = Dropout(0.5).forward({}, inner, KEY.child(1))
    assert np.array_equal(out, x + inner)
    assert np.array_equal(Residual((Dropout(0.5),)).forward({}, x)[0], 2 * x)


def test_residual_leaves_out_dx_where_it_is_not_needed(rng):
    x = rng.normal(size=(5, 4))
    params = {name: value.astype(np.float64) for name, value in BLOCK.build((4,), rng)[0].items()}
    out, cache = BLOCK.forward(params, x, KEY)
    grads, dx = BLOCK.backward(params, cache, out)
    same_grads, no_dx = BLOCK.backward(params, cache, out, needs_dx=False)
    assert dx is not None and no_dx is None
    assert list(same_grads) == list(params)
    assert all(np.array_equal(grads[name], same_grads[name]) for name in params)


class Spy(Layer):
    """Records the values of needs_dx."""

    name = "spy"
    asked = []

    def forward(self, params, x, key=None):
        return x, None

    def backward(self, params, cache, dout, needs_dx=True):
        Spy.asked.append(needs_dx)
        return {}, dout if needs_dx else None


@pytest.mark.parametrize("needs_dx", [False, True])
def test_residual_needs_dx_of_all_layers_but_the_first(needs_dx):
    Spy.asked.clear()
    block, x = Residual((Spy(), Spy())), np.ones((2, 3))
    block.backward({}, block.forward({}, x)[1], x, needs_dx)
    assert Spy.asked == [True, needs_dx]


class Picture(Layer):
    """Wants an image."""

    name = "picture"
    wants_image = True


def test_residual_is_random_and_wants_an_image_if_a_layer_does():
    assert BLOCK.is_random and Residual((Dropout(0.1), Relu())).is_random
    assert not Residual((Relu(), Dropout(0))).is_random
    assert Residual((Relu(), Residual((Picture(),)))).wants_image and not BLOCK.wants_image


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ("dense:32", (64,), "the block's output must have its input's shape a row of 64, got a row of 32"),
        (
            "relu,layernorm,dense:2",
            (3, 3, 2),
            "layer 3 of the block, dense:2: needs a row of numbers, got an image of 3x3x2; put flatten before it",
        ),
        (
            "relu,residual(tanh,dense:3)",
            (4,),
            "layer 2 of the block, residual(tanh,dense:3): "
            "the block's output must have its input's shape a row of 4, got a row of 3",
        ),
    ],
)
def test_residual_refuses_layers_that_do_not_fit(layers, shape, message, rng):
    block = layer_from_config(f"residual({layers})")
    for ask in (block.shapes, lambda shape: block.build(shape, rng)):
        with pytest.raises(ValueError) as caught:
            ask(shape)
        assert str(caught.value) == message


@pytest.mark.parametrize("wrong", [(), [Relu()], Relu(), (Relu(), "relu"), (Relu,), None, 3])
def test_residual_refuses_anything_but_a_tuple_of_layers(wrong):
    with pytest.raises(ValueError, match="^Residual layers must be a tuple of at least one layer, got "):
        Residual(wrong)
