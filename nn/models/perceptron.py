"""Multilayer perceptrons as Spark's MultilayerPerceptronClassifier has them: one vector of weights for all layers.

weights = W_0, b_0, W_1, b_1, ...    W_k (inputs, outputs) row by row: x @ W_k + b_k; a sigmoid after all but the last
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nn.data.encoding import Number, SharedScale, TableEncoder
from nn.layers import Dense, Flatten, Layer, Sigmoid
from nn.models import spark_random
from nn.models.builder import build_network
from nn.models.classifier import Classifier
from nn.models.losses import BinaryCrossEntropy, CrossEntropy
from nn.models.sequential import Params, Sequential

RANGE = 2.4  # Spark's initial weights, biases too: uniform in +-2.4 / sqrt(inputs)


def hidden_layers(sizes: Sequence[int]) -> tuple[Layer, ...]:
    """Return the layers before the output layer of a perceptron of these sizes, inputs and classes included."""
    layers = tuple(layer for units in sizes[1:-1] for layer in (Dense(units), Sigmoid()))
    return layers or (Flatten(),)  # which leaves rows as they are: a network without hidden layers


def flat_weights(params: Params) -> np.ndarray:
    """Return all parameters in one vector (m,) float64, layer by layer, W before b."""
    arrays = [values[key].ravel() for values in params for key in values]
    return np.concatenate(arrays).astype(np.float64) if arrays else np.empty(0)


def params_of(model: Sequential, weights: np.ndarray) -> Params:
    """Return the parameters (float32) that one vector (m,) holds. Raises ValueError for a vector of another size."""
    shapes = [shapes for shapes, _ in model.shapes()]
    expected = sum(math.prod(shape) for layer in shapes for shape in layer.values())
    if weights.shape != (expected,):
        raise ValueError(f"expected {expected} initial weights for these layers, found {weights.size}")
    if not np.isfinite(weights).all():
        raise ValueError("expected initial weights that are finite numbers")
    params, first = [], 0
    for layer in shapes:
        values = {}
        for key, shape in layer.items():
            size = math.prod(shape)
            values[key] = weights[first : first + size].reshape(shape).astype(np.float32)
            first += size
        params.append(values)
    return params


def draw_weights(sizes: Sequence[int], seed: int) -> np.ndarray:
    """Draw the initial weights (m,) that Spark draws for this seed: in +-2.4 / sqrt(inputs), biases too."""
    counts = [(inputs + 1) * outputs for inputs, outputs in pairwise(sizes)]
    limits = np.repeat(RANGE / np.sqrt(sizes[:-1]), counts)
    return (2 * spark_random.uniform(seed, sum(counts)) - 1) * limits


def classifier_of(sizes: Sequence[int], weights: np.ndarray) -> Classifier:
    """Return the classifier with these sizes of layers and weights (m,). Raises ValueError for another number."""
    if len(sizes) < 2:
        raise ValueError(f"expected two or more sizes of layers, found {list(sizes)}")
    model = build_network(hidden_layers(sizes), (sizes[0],), sizes[-1], CrossEntropy())
    return Classifier(model, params_of(model, weights))


def sizes_and_weights(found: Classifier) -> tuple[list[int], np.ndarray]:
    """Return the sizes of the layers and the weights (m,) float64 of a classifier that is a perceptron.

    The weights of its first layer take rows as the user has them: scales, centers and offsets are folded into them.
    Raises ValueError that names the layer, or the column, for which a perceptron of Spark has none.
    """
    model = found.model
    dense = [index for index, layer in enumerate(model.layers) if not isinstance(layer, Flatten)]
    if not isinstance(model.loss, (CrossEntropy, BinaryCrossEntropy)):
        raise ValueError(f"the loss {model.loss.name}: expected cross-entropy, whose outputs are a softmax")
    for place, index in enumerate(dense):
        layer, expected = model.layers[index], Sigmoid if place % 2 else Dense
        is_last = index == len(model.layers) - 1
        if not isinstance(layer, expected) or (is_last and expected is Sigmoid):
            raise ValueError(
                f"layer {index + 1} {layer.short_name}: expected dense layers with a sigmoid between two of them"
            )
    layers = [(found.params[index]["W"], found.params[index]["b"]) for index in dense[::2]]
    pairs = [(W.astype(np.float64), b.astype(np.float64)) for W, b in layers]
    pairs[0] = _folded(model, *pairs[0])
    if isinstance(model.loss, BinaryCrossEntropy):  # one logit z is the pair (0, z)
        W, b = pairs[-1]
        pairs[-1] = np.hstack([np.zeros_like(W), W]), np.array([0.0, b[0]])
    sizes = [pairs[0][0].shape[0], *(len(b) for _, b in pairs)]
    return sizes, np.concatenate([part.ravel() for pair in pairs for part in pair])


def _folded(model: Sequential, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first layer's W (d, units) and b (units,) for rows that are not encoded."""
    encoder = model.encoder
    if isinstance(encoder, SharedScale):
        return W / encoder.scale, b
    assert isinstance(encoder, TableEncoder)
    numbers = []
    for column in encoder.columns:
        if not isinstance(column, Number) or column.fills:
            kind = "missing values that the model fills" if isinstance(column, Number) else "categories"
            raise ValueError(f"column {column.name!r}: expected a column of numbers, found {kind}")
        numbers.append((column.scale, column.offset + column.center))
    scales, centers = np.array(numbers).T
    W = W / scales[:, None]
    return W, b - centers @ W
