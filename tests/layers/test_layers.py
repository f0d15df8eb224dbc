"""Every layer keeps its promised shape, and its gradients are those of its forward pass."""

import json

import numpy as np
import pytest

from nn.layers import (
    LAYERS,
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Elu,
    Flatten,
    Gelu,
    GlobalAveragePool2D,
    Identity,
    LayerNorm,
    LeakyRelu,
    MaxPool2D,
    Relu,
    Residual,
    Sigmoid,
    Softplus,
    Tanh,
    layer_from_config,
)

# A layer joins the house with a row here: (layer, shape of one input row).
TABLE = [
    (Dense(5), (7,)),
    (Dense(1, gain=2.0), (3,)),
    (Dense(4, initializer="he_normal"), (6,)),
    (Sigmoid(), (6,)),
    (Tanh(), (6,)),
    (Relu(), (6,)),
    (LeakyRelu(), (6,)),
    (LeakyRelu(0.3), (2, 3, 2)),
    (Elu(), (6,)),
    (Elu(1.7), (6,)),
    (Gelu(), (6,)),
    (Softplus(), (6,)),
    (Identity(), (6,)),
    (Dropout(0.4), (6,)),
    (LayerNorm(), (6,)),
    (LayerNorm(epsilon=0.1), (2, 3, 4)),
    (Residual((Dense(6), Relu(), Dense(6))), (6,)),
    (Residual((LayerNorm(), Residual((Tanh(), Dense(3))), Dropout(0.2))), (3,)),
    (Conv2D(3, 3), (5, 6, 2)),
    (Conv2D(2, (2, 3), stride=(2, 1), padding="same", initializer="he_normal", gain=2.0), (5, 4, 3)),
    (MaxPool2D(), (6, 4, 2)),
    (MaxPool2D(3, stride=2, padding="same"), (5, 6, 2)),
    (AveragePool2D(), (6, 4, 2)),
    (AveragePool2D((2, 3), stride=2, padding="same"), (5, 6, 2)),
    (GlobalAveragePool2D(), (3, 4, 2)),
    (Flatten(), (2, 3, 4)),
]
IDS = [f"{layer.name}-{number}" for number, (layer, _) in enumerate(TABLE)]


def in_float64(params):
    return {key: value.astype(np.float64) for key, value in params.items()}


def test_layers_table_holds_every_registered_layer():
    assert {layer.name for layer, _ in TABLE} == set(LAYERS)


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_keeps_the_shapes_it_promised(layer, shape, rng):
    params, promised = layer.build(shape, rng)
    assert layer.shapes(shape) == ({key: value.shape for key, value in params.items()}, promised)
    assert all(value.dtype == np.float32 for value in params.values())
    out, _ = layer.forward(params, rng.normal(size=(4, *shape)).astype(np.float32))
    assert out.shape == (4, *promised)
    assert out.dtype == np.float32


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_gradients_match_the_slope_along_random_directions(layer, shape, rng):
    params = in_float64(layer.build(shape, rng)[0])
    params = {key: value + rng.normal(size=value.shape) for key, value in params.items()}
    x = rng.normal(size=(5, *shape))
    out, cache = layer.forward(params, x)
    dout = rng.normal(size=out.shape)
    grads, dx = layer.backward(params, cache, dout)
    step_params = {key: rng.normal(size=value.shape) for key, value in params.items()}
    step_x = rng.normal(size=x.shape)

    def along(t):
        moved = {key: value + t * step_params[key] for key, value in params.items()}
        return float((layer.forward(moved, x + t * step_x)[0] * dout).sum())

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    promised = float((dx * step_x).sum()) + sum(float((grads[k] * step_params[k]).sum()) for k in grads)
    assert slope == pytest.approx(promised, rel=1e-6)


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_leaves_out_dx_where_it_is_not_needed(layer, shape, rng):
    params, _ = layer.build(shape, rng)
    out, cache = layer.forward(params, rng.normal(size=(2, *shape)).astype(np.float32))
    grads, dx = layer.backward(params, cache, out, needs_dx=False)
    assert list(grads) == list(params) and dx is None


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_leaves_its_inputs_alone(layer, shape, rng):
    params, _ = layer.build(shape, rng)
    x = rng.normal(size=(3, *shape)).astype(np.float32)
    before = x.copy()
    out, cache = layer.forward(params, x)
    kept, dout = out.copy(), rng.normal(size=out.shape).astype(np.float32)
    dout_before = dout.copy()
    layer.backward(params, cache, dout)
    assert np.array_equal(x, before) and np.array_equal(out, kept) and np.array_equal(dout, dout_before)


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_is_built_again_from_its_config(layer, shape):
    assert layer_from_config(layer.config()) == layer
    assert layer_from_config(json.loads(json.dumps(layer.config()))) == layer
    assert layer_from_config(str(layer)) == layer


def test_sigmoid_is_the_logistic_function_and_never_overflows():
    x = np.array([[-1e30, -800.0, -1.0, 0.0, 1.0, 800.0, 1e30]])
    with np.errstate(all="raise"):
        out, _ = Sigmoid().forward({}, x)
    assert np.allclose(out, [[0, 0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1, 1]], atol=1e-15)


def test_dense_starts_within_glorots_limit_times_its_gain(rng):
    W = Dense(200, gain=1.5).build((100,), rng)[0]["W"]
    limit = 1.5 * np.sqrt(6 / 300)
    assert np.abs(W).max() <= limit * (1 + 1e-6)
    assert W.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("wrong", [{"units": 0}, {"units": 2.0}, {"units": True}, {"units": 3, "gain": 0.0}])
def test_dense_refuses_what_makes_no_layer(wrong):
    with pytest.raises(ValueError, match="must be"):
        Dense(**wrong)


def test_dense_refuses_an_image(rng):
    with pytest.raises(
        ValueError, match="needs a row of numbers, got an image of 28x28x1; put flatten before"
    ):
        Dense(3).build((28, 28, 1), rng)


def test_layer_from_config_lists_what_it_knows():
    with pytest.raises(ValueError, match="unknown layer 'dens'; known: dense, .*sigmoid"):
        layer_from_config({"name": "dens"})
    with pytest.raises(
        ValueError, match="layer dense: takes the fields units, initializer, gain; found 'unit'"
    ):
        layer_from_config({"name": "dense", "unit": 3})
    with pytest.raises(ValueError, match="unknown initializer 'glorrot'; known: glorot_uniform, .*he_normal"):
        Dense(3, initializer="glorrot")
