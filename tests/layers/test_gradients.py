"""The chain's gradients match numerical differences for random networks, with image layers and dropout."""

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.core import spec, tree
from nn.core.random import Key
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.local_rdd import LocalBroadcast
from nn.layers import LAYERS, Dense
from nn.models.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError
from nn.models.regression_losses import Huber, SquaredError
from nn.models.sequential import Sequential
from nn.training import chain
from nn.training.records import Batch

ROW_WORDS = [
    *("sigmoid", "tanh", "relu", "leaky_relu:0.1", "elu", "gelu", "softplus", "identity"),
    *("dense:3", "dense:5", "dropout:0.3", "layernorm", "residual(tanh,dropout:0.2)"),
]
IMAGE_WORDS = [
    *(
        "conv2d:2x2",
        "conv2d:3x3:padding=same",
        "conv2d:2x3x2:stride=2:padding=same",
        "conv2d:1x1x3:stride=1x2",
    ),
    *(
        "maxpool2d:2",
        "maxpool2d:3:stride=1:padding=same",
        "averagepool2d:2",
        "averagepool2d:2:stride=1:padding=same",
    ),
    *(
        "tanh",
        "relu",
        "gelu",
        "dropout:0.4",
        "layernorm",
        "residual(conv2d:2x3:padding=same,relu,conv2d:2x1)",
    ),
]
LOSSES = [
    HalfSquaredError(),
    SquaredError(),
    Huber(0.7),
    CrossEntropy(),
    CrossEntropy(0.2),
    BinaryCrossEntropy(),
    BinaryCrossEntropy(0.1),
]


def build_fitting(words, shape):
    """Return the layers of those words that accept the shape before them, and the output shape."""
    layers = []
    for word in words:
        layer = spec.parse(word, LAYERS, "layer")
        try:
            _, shape = layer.shapes(shape)
        except ValueError:
            continue
        layers.append(layer)
    return layers, shape


@st.composite
def networks(draw):
    loss = draw(st.sampled_from(LOSSES))
    if draw(st.booleans()):
        shape = (draw(st.integers(2, 7)), draw(st.integers(2, 7)), draw(st.integers(1, 2)))
        layers, middle = build_fitting(draw(st.lists(st.sampled_from(IMAGE_WORDS), max_size=5)), shape)
        end = spec.parse(draw(st.sampled_from(["flatten", "globalaveragepool2d"])), LAYERS, "layer")
        layers.append(end)
        width = end.shapes(middle)[1]
    else:
        shape = width = (draw(st.integers(1, 5)),)
        layers = []
    rows, _ = build_fitting(draw(st.lists(st.sampled_from(ROW_WORDS), max_size=5)), width)
    classes = 2 if isinstance(loss, BinaryCrossEntropy) else 3
    decoder = TargetScale() if loss.is_regression else ClassLabels()
    return Sequential((*layers, *rows, Dense(loss.units(classes))), shape, loss, decoder=decoder)


@settings(max_examples=200)
@given(networks(), st.integers(0, 1000), st.booleans())
def test_gradients_of_random_networks_match_numerical_differences(model, seed, training):
    rng = np.random.default_rng(seed)
    params = tree.map_arrays(lambda a: 0.7 * rng.normal(size=a.shape), model.init(seed))
    direction = tree.map_arrays(lambda a: rng.normal(size=a.shape), params)
    direction = tree.scale(direction, 1 / tree.norm(direction))
    x, labels = rng.normal(size=(4, *model.input_shape)), rng.integers(0, model.classes, 4)
    if model.loss.is_regression:
        labels = rng.normal(size=(4, model.classes))
    weights, key = rng.uniform(0.5, 2, 4), Key((seed,)) if training else None

    def run(point):
        stages = [
            partial(chain.forward, layer, i, LocalBroadcast(point)) for i, layer in enumerate(model.layers)
        ]
        stages.append(partial(chain.loss_and_gradient, model.loss, True))
        for i in reversed(range(len(model.layers))):
            stages.append(
                partial(
                    chain.backward, model.layers[i], i, LocalBroadcast(point), i > model.first_trainable()
                )
            )
        result = Batch(np.arange(4), labels, weights, x, key=key)
        for stage in stages:
            result = stage(result)
        return chain.to_sums(result)

    def along(t):
        return run(tree.add(params, tree.scale(direction, t))).train.loss

    t, grads = 1e-5, run(params).grads
    # Four points: the error is of the order t^4.
    slope = (8 * (along(t) - along(-t)) - (along(2 * t) - along(-2 * t))) / (12 * t)
    assert abs(slope - tree.dot(grads, direction)) <= 1e-6 * max(tree.norm(grads), 1e-3)
