"""A network: shapes, scale, initial parameters and the forward pass."""

import numpy as np
import pytest

from nn.data.encoding import SharedScale
from nn.layers import Dense, Relu, Sigmoid
from nn.models.losses import CrossEntropy
from nn.models.sequential import MAX_LAYERS, Sequential
from tests.support.networks import multilayer_perceptron


def test_model_init_is_a_function_of_the_seed():
    model = multilayer_perceptron(8, 3, (5,), "tanh", "mse")
    assert np.array_equal(model.init(1)[0]["W"], model.init(1)[0]["W"])
    assert not np.array_equal(model.init(1)[0]["W"], model.init(2)[0]["W"])


def test_model_draws_each_layer_independently():
    model = Sequential((Dense(4), Dense(4)), (4,))
    first, second = model.init(0)
    assert not np.array_equal(first["W"], second["W"])


def test_model_forward_is_the_formula(rng):
    model = Sequential((Dense(4), Sigmoid(), Dense(2)), (3,), CrossEntropy(), SharedScale(10.0))
    params = model.init(3)
    inputs = rng.integers(0, 10, (6, 3)).astype(np.uint8)
    hidden = 1 / (1 + np.exp(-(inputs / 10 @ params[0]["W"] + params[0]["b"])))
    logits = hidden @ params[2]["W"] + params[2]["b"]
    assert np.allclose(model.forward(params, inputs), logits, atol=1e-5)
    assert np.array_equal(model.predict(params, inputs), logits.argmax(axis=1))
    assert np.allclose(
        model.predict_proba(params, inputs),
        np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
        atol=1e-5,
    )


def test_model_predicts_the_same_for_bytes_and_fractions():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 6)
    of_bytes = multilayer_perceptron(6, 2, (3,), "relu", "mse", scale=11.0)
    of_fractions = multilayer_perceptron(6, 2, (3,), "relu", "mse", scale=1.0)
    params = of_bytes.init(0)
    assert np.allclose(
        of_bytes.forward(params, pixels), of_fractions.forward(params, pixels / 11.0), atol=1e-6
    )


def test_model_refuses_rows_of_another_width():
    model = Sequential((Dense(2),), (4,))
    with pytest.raises(ValueError, match=r"expected rows of 4 values, got an array of shape \(3, 5\)"):
        model.forward(model.init(0), np.zeros((3, 5)))


def test_model_names_the_layer_that_does_not_fit():
    with pytest.raises(
        ValueError,
        match="layer 2 dense:3: needs a row of numbers, got an image of 2x2x1; put flatten before it",
    ):
        Sequential((Relu(), Dense(3)), (2, 2, 1)).init(0)


def test_model_refuses_too_many_layers():
    with pytest.raises(ValueError, match=f"must have 1 to {MAX_LAYERS} layers, got {MAX_LAYERS + 1}"):
        Sequential((Relu(),) * (MAX_LAYERS + 1), (2,))


def test_model_is_built_again_from_its_config():
    model = multilayer_perceptron(6, 2, (3, 4), "relu", "cross-entropy", scale=255.0)
    assert Sequential.from_config(model.config()) == model


@pytest.mark.parametrize(
    ("loss", "last"), [("mse", ["dense", "sigmoid"]), ("cross-entropy", ["relu", "dense"])]
)
def test_multilayer_perceptron_ends_with_the_output_layer_of_its_loss(loss, last):
    model = multilayer_perceptron(6, 2, (3, 4), "relu", loss)
    assert [layer.name for layer in model.layers][-2:] == last
    assert model.output_shapes()[-1] == (2,)


def test_summary_counts_parameters():
    header, entry, dense, activation, *rest, total = (
        multilayer_perceptron(784, 10, (64,), "sigmoid", "mse").summary().splitlines()
    )
    assert header.split() == ["layer", "output", "parameters"] and entry.split() == ["input", "784"]
    assert dense.split() == ["1", "dense:64", "64", "50,240"] and activation.split()[:2] == ["2", "sigmoid"]
    assert total.split() == ["total", "50,890"]


def test_model_refuses_an_image_as_its_output():
    with pytest.raises(
        ValueError, match="layer 1 relu: the last layer must give a row, got an image of 2x2x1"
    ):
        Sequential((Relu(),), (2, 2, 1)).init(0)


@pytest.mark.parametrize("shape", [(), (0,), (2.0,), (1, 2, 3, 4), (True,), "28x28", None])
def test_model_refuses_an_invalid_input_shape(shape):
    with pytest.raises(ValueError, match="the input shape must be one to three whole numbers above 0, got"):
        Sequential((Relu(),), shape)


def test_model_knows_its_first_trainable_layer():
    assert Sequential((Relu(), Sigmoid(), Dense(2), Dense(2)), (3,)).first_trainable() == 2
