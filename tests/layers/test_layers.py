"""Every layer keeps the contract of a layer, and is built again from its word and its JSON."""

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
    check_layer,
    layer_from_config,
)

# (layer, shape of one input row); a new layer gets a row here.
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


def test_layers_table_holds_every_registered_layer():
    assert {layer.name for layer, _ in TABLE} == set(LAYERS)


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_keeps_the_contract(layer, shape):
    check_layer(layer, shape)


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


def test_dense_draws_within_glorots_limit_times_its_gain(rng):
    W = Dense(200, gain=1.5).build((100,), rng)[0]["W"]
    limit = 1.5 * np.sqrt(6 / 300)
    assert np.abs(W).max() <= limit * (1 + 1e-6)
    assert W.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("wrong", [{"units": 0}, {"units": 2.0}, {"units": True}, {"units": 3, "gain": 0.0}])
def test_dense_refuses_wrong_values(wrong):
    with pytest.raises(ValueError, match="must be"):
        Dense(**wrong)


def test_dense_refuses_an_image(rng):
    with pytest.raises(
        ValueError, match="needs a row of numbers, got an image of 28x28x1; put flatten before"
    ):
        Dense(3).build((28, 28, 1), rng)


def test_layer_from_config_lists_the_known_names():
    with pytest.raises(ValueError, match="unknown layer 'dens'; known: dense, .*sigmoid"):
        layer_from_config({"name": "dens"})
    with pytest.raises(
        ValueError, match="layer dense: takes the fields units, initializer, gain; found 'unit'"
    ):
        layer_from_config({"name": "dense", "unit": 3})
    with pytest.raises(
        ValueError, match="Dense initializer must be one of glorot_uniform, .*he_normal, .*, got 'glorrot'"
    ):
        Dense(3, initializer="glorrot")
