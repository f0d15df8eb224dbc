"""Layers and losses as nodes of an ONNX graph.

Rows (n, d) stay rows; images, (n, h, w, c) in a layer, are (n, c, h, w) in the graph, as ONNX has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nn.io.onnx_graph import Graph
from nn.layers import activations
from nn.layers.base import Layer, Params, Shape
from nn.layers.convolution import Conv2D
from nn.layers.dense import Dense
from nn.layers.dropout import Dropout
from nn.layers.flatten import Flatten
from nn.layers.normalization import LayerNorm
from nn.layers.pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from nn.layers.residual import Residual, params_of
from nn.layers.windows import Axis, axes, pair
from nn.models.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError
from nn.models.sequential import Sequential

F = np.float32


def add_network(graph: Graph, model: Sequential, params: list[Params], x: str) -> str:
    """Add all layers behind inputs x (n, d) and return the outputs (n, units).

    Raises ValueError for a layer of a class that LAYERS does not have.
    """
    shape = model.input_shape
    if len(shape) > 1:
        x = graph.add("Reshape", x, np.array([0, *shape]))  # 0: n
    if len(shape) == 3:
        x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    return _add_layers(graph, model.layers, params, x, shape)


def _add_layers(graph: Graph, layers: tuple[Layer, ...], params: list[Params], x: str, shape: Shape) -> str:
    for index, (layer, values) in enumerate(zip(layers, params, strict=True)):
        if type(layer) not in LAYERS:
            raise ValueError(f"layer {index + 1} {layer.short_name}: it has no form in ONNX")
        # Constants have the names that they have in a model file: 0.W, 0.b.
        x = LAYERS[type(layer)](graph.below(f"{index}."), layer, values, x, shape)
        shape = layer.shapes(shape)[1]
    return x


# ---- rows ----


def _dense(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("Gemm", x, graph.constant("W", params["W"]), graph.constant("b", params["b"]))


def _flatten(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    if len(shape) == 3:
        x = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    return graph.add("Flatten", x, axis=1)


def _dropout(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return x


def _layer_norm(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    axis = 1 if len(shape) == 3 else len(shape)
    size = (shape[-1], 1, 1) if len(shape) == 3 else shape[-1:]  # along the axis
    normal = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[axis], keepdims=1))
    variance = graph.add("ReduceMean", graph.add("Mul", normal, normal), axes=[axis], keepdims=1)
    deviation = graph.add("Sqrt", graph.add("Add", variance, F(layer.epsilon)))
    out = graph.add("Div", normal, deviation)
    out = graph.add("Mul", out, graph.constant("gain", params["gain"].reshape(size)))
    return graph.add("Add", out, graph.constant("bias", params["bias"].reshape(size)))


def _residual(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    inner = [params_of(index, params) for index in range(len(layer.layers))]
    return graph.add("Add", x, _add_layers(graph, layer.layers, inner, x, shape))


# ---- images ----


def _conv(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    W = graph.constant("W", params["W"].transpose(3, 2, 0, 1))  # (f, c, kh, kw)
    windows = _windows(axes(shape, layer.kernel, layer.stride, layer.padding))
    return graph.add("Conv", x, W, graph.constant("b", params["b"]), **windows)


def _max_pool(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("MaxPool", x, **_pool_windows(layer, shape))


def _average_pool(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("AveragePool", x, count_include_pad=0, **_pool_windows(layer, shape))


def _global_average_pool(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("Flatten", graph.add("GlobalAveragePool", x), axis=1)


def _pool_windows(layer: Any, shape: Shape) -> dict[str, list[int]]:
    size = pair("size", layer.size)
    return _windows(axes(shape, size, size if layer.stride is None else layer.stride, layer.padding))


def _windows(along: tuple[Axis, Axis]) -> dict[str, list[int]]:
    """Return the attributes of windows over images. The padding is given in pixels: "same" differs between programs."""
    after = [max(0, axis.padded - axis.before - axis.size) for axis in along]
    return {
        "kernel_shape": [axis.kernel for axis in along],
        "strides": [axis.stride for axis in along],
        "pads": [axis.before for axis in along] + after,
    }


# ---- activations ----


def _named(operator: str) -> Callable[..., str]:
    """Return the function that adds an activation without fields, which ONNX has."""

    def add(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
        return graph.add(operator, x)

    return add


def _leaky_relu(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("LeakyRelu", x, alpha=layer.slope)


def _elu(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return graph.add("Elu", x, alpha=layer.alpha)


def _identity(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    return x


def _gelu(graph: Graph, layer: Any, params: Params, x: str, shape: Shape) -> str:
    """Add x p of the tanh approximation as the layer computes it; ONNX has Gelu from opset 20 on."""
    near = graph.add("Clip", x, F(-10), F(10))
    p = graph.add("Mul", graph.add("Mul", near, near), F(activations.ROOT * activations.CUBE))
    p = graph.add("Tanh", graph.add("Mul", graph.add("Add", p, F(activations.ROOT)), near))
    p = graph.add("Mul", graph.add("Add", p, F(1)), F(0.5))
    return graph.add("Mul", x, p)


LAYERS: dict[type, Callable[..., str]] = {
    Dense: _dense,
    Flatten: _flatten,
    Dropout: _dropout,
    LayerNorm: _layer_norm,
    Residual: _residual,
    Conv2D: _conv,
    MaxPool2D: _max_pool,
    AveragePool2D: _average_pool,
    GlobalAveragePool2D: _global_average_pool,
    activations.Sigmoid: _named("Sigmoid"),
    activations.Tanh: _named("Tanh"),
    activations.Relu: _named("Relu"),
    activations.LeakyRelu: _leaky_relu,
    activations.Elu: _elu,
    activations.Gelu: _gelu,
    activations.Softplus: _named("Softplus"),
    activations.Identity: _identity,
}


# ---- losses: outputs (n, units) -> class numbers (n,) int64 and probabilities (n, k) ----


def add_classes(graph: Graph, loss: Any, outputs: str, classes: int) -> tuple[str, str]:
    """Return the class numbers (n,) and the probabilities (n, k) of outputs (n, units).

    Raises ValueError for a loss of a class that LOSSES does not have.
    """
    if type(loss) not in LOSSES:
        raise ValueError(f"loss {loss.name}: it has no form in ONNX")
    return LOSSES[type(loss)](graph, outputs, classes)


def _largest(graph: Graph, outputs: str) -> str:
    return graph.add("ArgMax", outputs, axis=1, keepdims=0)


def _cross_entropy(graph: Graph, outputs: str, classes: int) -> tuple[str, str]:
    return _largest(graph, outputs), graph.add("Softmax", outputs, axis=1)


def _half_squared_error(graph: Graph, outputs: str, classes: int) -> tuple[str, str]:
    """Add shares of the sum as HalfSquaredError.probabilities has them; a row of zeros gives 1 / k for each class."""
    lowest = graph.add("Min", graph.add("ReduceMin", outputs, axes=[1], keepdims=1), F(0))
    shares = graph.add("Sub", outputs, lowest)
    is_zero = graph.cast(graph.add("Equal", graph.sum(shares), F(0)), F)  # (n, 1)
    shares = graph.add("Add", shares, is_zero)
    return _largest(graph, outputs), graph.add("Div", shares, graph.sum(shares))


def _binary_cross_entropy(graph: Graph, outputs: str, classes: int) -> tuple[str, str]:
    number = graph.cast(graph.add("Greater", outputs, F(0)), np.int64)
    shares = [graph.add("Sigmoid", graph.add("Neg", outputs)), graph.add("Sigmoid", outputs)]
    return graph.add("Squeeze", number, np.array([1])), graph.concat(shares)


LOSSES: dict[type, Callable[..., tuple[str, str]]] = {
    CrossEntropy: _cross_entropy,
    HalfSquaredError: _half_squared_error,
    BinaryCrossEntropy: _binary_cross_entropy,
}
