"""Multilayer perceptrons as Spark's MultilayerPerceptronClassifier has them: one vector of weights for all layers.

weights = W_0, b_0, W_1, b_1, ...    W_k (inputs, outputs) row by row: x @ W_k + b_k; a sigmoid after all but the last
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nn.layers import Dense, Flatten, Layer, Sigmoid
from nn.models.sequential import Params, Sequential

RANGE = 2.4  # Spark's initial weights, biases too: uniform in +-2.4 / sqrt(inputs)
_INITIAL_WEIGHTS = 11  # the purpose number of nn.core.random


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


def draw_params(model: Sequential, seed: int) -> Params:
    """Draw initial weights as Spark does: uniform in +-2.4 / sqrt(inputs of the layer), biases too."""
    rng = np.random.default_rng([_INITIAL_WEIGHTS, seed])
    params: Params = []
    for shapes, _ in model.shapes():
        limit = RANGE / math.sqrt(shapes["W"][0]) if shapes else 0.0
        params.append(
            {key: rng.uniform(-limit, limit, shape).astype(np.float32) for key, shape in shapes.items()}
        )
    return params
