"""Networks built from hidden layers: initializers by activation, the output layer by the loss."""

import numpy as np
import pytest

from nn.core import spec
from nn.data.decoding import TargetScale
from nn.layers import LAYERS
from nn.models.builder import build_network, infer_input_shape
from nn.models.classifier import Regressor
from nn.models.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError
from nn.models.regression_losses import AbsoluteError, Huber, SquaredError
from tests.support.networks import multilayer_perceptron


def layers_of(words):
    return spec.parse_list(words, LAYERS, "layer")


def words_of(model):
    return [str(layer) for layer in model.layers]


@pytest.mark.parametrize(
    ("loss", "classes", "last"),
    [
        (HalfSquaredError(), 4, ["relu", "dense:4:initializer=glorot_uniform", "sigmoid"]),
        (CrossEntropy(), 4, ["dense:5:initializer=he_normal", "relu", "dense:4:initializer=glorot_uniform"]),
        (
            BinaryCrossEntropy(),
            2,
            ["dense:5:initializer=he_normal", "relu", "dense:1:initializer=glorot_uniform"],
        ),
    ],
)
def test_network_ends_with_the_output_layer_of_its_loss(loss, classes, last):
    model = build_network(layers_of("dense:5,relu"), (3,), classes, loss)
    assert words_of(model)[-3:] == last and model.classes == classes


@pytest.mark.parametrize("loss", [SquaredError(), AbsoluteError(), Huber()])
def test_the_first_predictions_of_a_regression_are_the_mean_of_the_target(loss):
    model = build_network(layers_of("dense:5,relu"), (3,), 1, loss, decoder=TargetScale(7.0, 2.0))
    assert words_of(model)[1:] == ["relu", "dense:1:initializer=zeros"]
    assert Regressor(model, model.init(0)).predict(np.eye(3)).tolist() == [7, 7, 7]


def test_initializer_depends_on_the_next_activation():
    words = (
        "conv2d:2x2,layernorm,relu,flatten,dense:5,sigmoid,dense:4,dense:4,tanh,residual(dense:4,elu,dense:4)"
    )
    model = build_network(layers_of(words), (3, 3, 1), 2, CrossEntropy())
    found = [
        (layer.initializer, layer.gain)
        for layer in model.layers
        if getattr(layer, "initializer", None) is not None
    ]
    he, glorot = ("he_normal", 1.0), ("glorot_uniform", 1.0)
    assert found == [he, ("glorot_uniform", 1.5), glorot, glorot, glorot]
    inner = model.layers[-2].layers
    assert (inner[0].initializer, inner[2].initializer) == ("he_normal", "glorot_uniform")


def test_initializer_ignores_activations_behind_the_next_layer_with_weights():
    first, second, *_ = build_network(layers_of("dense:5,dense:4,relu"), (3,), 2, CrossEntropy()).layers
    assert (first.initializer, second.initializer) == ("glorot_uniform", "he_normal")


def test_initializer_of_a_layer_is_kept():
    words = "dense:5:initializer=zeros,relu,dense:4:gain=2.5,sigmoid"
    first, _, second, *_ = build_network(layers_of(words), (3,), 2, CrossEntropy()).layers
    assert (first.initializer, second.gain) == ("zeros", 2.5)


def test_initializer_for_all_is_used_by_layers_without_one():
    words = "dense:5,relu,dense:4:initializer=zeros,sigmoid"
    model = build_network(layers_of(words), (3,), 2, HalfSquaredError(), initializer="original")
    found = [(layer.initializer, layer.gain) for layer in model.layers if layer.name == "dense"]
    assert found == [("original", 1.0), ("zeros", 1.0), ("original", 1.0)]
    assert 0.4 < np.abs(model.init(0)[0]["W"]).max() <= 0.5


def test_sigmoids_with_half_squared_error_get_the_measured_gains():
    model = multilayer_perceptron(9, 3, (5,), "sigmoid", "mse")
    assert [layer.gain for layer in model.layers if layer.name == "dense"] == [1.5, 1.5]
    model = multilayer_perceptron(9, 3, (5,), "tanh", "mse")
    assert [layer.gain for layer in model.layers if layer.name == "dense"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("words", "width", "shape"),
    [
        ("conv2d:2x2,flatten", 784, (28, 28, 1)),
        ("conv2d:2x2,flatten", 800, (800,)),
        ("dense:3", 784, (784,)),
        ("residual(conv2d:1x1)", 9, (3, 3, 1)),
    ],
)
def test_input_shape_is_a_square_image_only_if_a_layer_wants_one(words, width, shape):
    assert infer_input_shape(layers_of(words), width) == shape


def test_network_names_the_layer_that_does_not_fit():
    with pytest.raises(ValueError, match="layer 2 conv2d:32x5: needs an image .h, w, c., got a row of 7"):
        build_network(layers_of("dense:7,conv2d:32x5"), (3,), 2, CrossEntropy())
    with pytest.raises(ValueError, match="binary-cross-entropy needs 2 classes, got 3"):
        build_network(layers_of("dense:7"), (3,), 3, BinaryCrossEntropy())
